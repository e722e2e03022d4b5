# Without clinical columns there is nothing to fit to them, nor to fuse with them.
FEATURE_SETS = feature_sets(config["survival"]["fusion"])
FEATURES = [
    name
    for name in config["survival"]["features"]
    if config["cohort"]["clinical"] or not FEATURE_SETS[name].clinical
]
FITS = f"<results>/{FIT}"
if not FEATURES:
    raise WorkflowError(
        "survival.features: name face too; without cohort.clinical nothing is left"
    )
MODELS = [model for model in config["survival"]["models"] if model not in SINGLE]
if config["survival"]["models"][0] in SINGLE:
    raise WorkflowError(
        f"survival.models: name another model first; {' and '.join(SINGLE)} see neither codes nor "
        "clinical data and cannot be the headline"
    )


ALL_FITS = fits_of(FEATURES, MODELS)
for model in [model for model in config["survival"]["models"] if model in SINGLE]:
    ALL_FITS += fits_of(SINGLE[model] or FEATURES[-1], model)
if config["generator"]["per_fold"]:
    generated = [name for name in FEATURES if FEATURE_SETS[name].by_generator]
    for fold in FOLD_NUMBERS:
        ALL_FITS += fits_of(
            generated, MODELS, generator=f"fold-{fold}", repeat=1, fold=fold
        )


wildcard_constraints:
    features="|".join(FEATURE_SETS),
    model="[a-z]+",
    repeat=r"\d+",
    fold=r"\d+",


rule split_patients:
    """Assign patients with a usable photo to folds, stratified by event and follow-up."""
    input:
        photos="<results>/cohort/photos.csv",
        patients="<results>/cohort/patients.csv",
        aligned="<results>/aligned/full.csv",
    output:
        folds="<results>/folds.csv",
    log:
        "<logs>/split_patients.log",
    benchmark:
        "<benchmarks>/split_patients.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(10),
    params:
        settings={name: config["survival"][name] for name in ("folds", "repeats")}
        | {"seed": config["seed"]},
    script:
        "../workflow/scripts/split_patients.py"


rule fit_model:
    """Tune and fit one model on the training patients of a fold, and predict its test patients."""
    input:
        photos=PHOTOS,
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        # Only what the features need: clinical models and pixels do not wait for the generator.
        features=features_of,
    output:
        fit=FITS,
    log:
        "<logs>/fit_model/{generator}/{view}/{features}/{model}/{repeat}-{fold}.log",
    benchmark:
        "<benchmarks>/fit_model/{generator}/{view}/{features}/{model}/{repeat}-{fold}.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=22),
        runtime=by_attempt(60),
    params:
        settings={
            name: config["survival"][name]
            for name in ("inner_folds", "photos", "fusion")
        }
        | {"seed": config["seed"], "clinical": config["cohort"]["clinical"]},
    script:
        "../workflow/scripts/fit_model.py"


KEPT += rules.split_patients.output
KEPT += ALL_FITS
