# Without clinical columns there is nothing to fit to them, nor to fuse with them.
FEATURES = [
    name
    for name in config["survival"]["features"]
    if config["cohort"]["clinical"] or name not in ("clinical", "fused")
]
FITS = "<results>/fits/{generator}/{view}/{features}/{model}/{repeat}-{fold}.npz"
if not FEATURES:
    raise WorkflowError(
        "survival.features: name face too; without cohort.clinical nothing is left"
    )
# Two models have one row: the convolutional network sees pixels, and nothing else does what it does;
# the null model sees nothing, and stands with the last features.
SINGLE = {"cnn": "pixels", "kaplanmeier": FEATURES[-1]}
MODELS = [model for model in config["survival"]["models"] if model not in SINGLE]
if config["survival"]["models"][0] in SINGLE:
    raise WorkflowError(
        "survival.models: name another model first; cnn and kaplanmeier see neither codes nor "
        "clinical data and cannot be the headline"
    )


ALL_FITS = fits_of(FEATURES, MODELS)
for model in [model for model in config["survival"]["models"] if model in SINGLE]:
    ALL_FITS += fits_of(SINGLE[model], model)
if config["generator"]["per_fold"]:
    # Clinical columns and pixels depend on no generator.
    generated = [name for name in FEATURES if name not in ("clinical", "pixels")]
    for fold in FOLD_NUMBERS:
        ALL_FITS += fits_of(
            generated, MODELS, generator=f"fold-{fold}", repeat=1, fold=fold
        )

CODES = "<results>/latents/{generator}/{view}.npz"
(FACE_FIT,) = expand(FITS, features="face", allow_missing=True)
(CLINICAL_FIT,) = expand(
    FITS, generator="cohort", features="clinical", allow_missing=True
)
# What the fused features are made of.
FUSED = {"stack": FACE_FIT, "joint": CODES, "average": [FACE_FIT, CLINICAL_FIT]}


wildcard_constraints:
    features="face|clinical|fused|pixels|discriminator",
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
        features=branch(
            evaluate("{features}"),
            cases={
                "face": CODES,
                "pixels": "<results>/aligned/{view}.npz",
                "discriminator": "<results>/discriminator/{generator}/{view}.npz",
                "fused": FUSED[config["survival"]["fusion"]],
                "clinical": [],
            },
        ),
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
