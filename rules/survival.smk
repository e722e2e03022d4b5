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


ALL_FITS = fits_of("cohort", FEATURES, MODELS, config["survival"]["repeats"])
for model in [model for model in config["survival"]["models"] if model in SINGLE]:
    shown = SINGLE[model] or FEATURES[-1]
    ALL_FITS += fits_of("cohort", shown, model, config["survival"]["repeats"])
if "fold" in config["scopes"]:
    # Features that no generator made are the same in both scopes.
    made = [name for name in FEATURES if FEATURE_SETS[name].by_generator]
    ALL_FITS += fits_of("fold", made, MODELS, 1)


def features_of(wildcards):
    """The files of a fit's features; in the scope fold each fold has a generator of its own."""
    generator = "fold-{fold}" if wildcards.scope == "fold" else "{scope}"
    inputs = FEATURE_SETS[wildcards.features].inputs
    return [f"<results>/{path.replace('{generator}', generator)}" for path in inputs]


wildcard_constraints:
    features="|".join(FEATURE_SETS),
    model="[a-z]+",
    repeat=r"\d+",
    fold=r"\d+",


rule split_patients:
    """Assign the patients who have a usable photo to folds, stratified by event."""
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
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings={name: config["survival"][name] for name in ("folds", "repeats")}
        | {"seed": config["seed"]},
    script:
        "../workflow/scripts/split_patients.py"


rule fit_model:
    """Tune and fit one model on the training patients of one fold, and predict the others."""
    input:
        photos=PHOTOS,
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        # Only what the features need: clinical models and pixels do not wait for the generator.
        features=features_of,
    output:
        fit=FITS,
    log:
        "<logs>/fit_model/{scope}/{view}/{features}/{model}/{repeat}-{fold}.log",
    benchmark:
        "<benchmarks>/fit_model/{scope}/{view}/{features}/{model}/{repeat}-{fold}.tsv"
    conda:
        "../envs/survival.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings={
            name: config["survival"][name]
            for name in ("inner_folds", "photos", "fusion")
        }
        | {"seed": config["seed"], "clinical": config["cohort"]["clinical"]},
    script:
        "../workflow/scripts/fit_model.py"
