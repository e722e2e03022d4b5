# Without clinical columns there is nothing to fit to them, nor to fuse with them.
FEATURES = [
    name
    for name in config["survival"]["features"]
    if config["cohort"]["clinical"] or name not in ("clinical", "fused")
]
FITS = "<results>/fits/{scope}/{view}/{features}/{model}/{repeat}-{fold}.npz"
# What the fused features are made of.
FUSED = {
    "stack": FITS.replace("{features}", "face"),
    "joint": "<results>/latents/{scope}/{view}.npz",
    "average": [FITS.replace("{features}", name) for name in ("face", "clinical")],
}[config["survival"]["fusion"]]


wildcard_constraints:
    features="face|clinical|fused|pixels|discriminator",
    model="[a-z]+",
    repeat=r"\d+",
    fold=r"\d+",


rule split_patients:
    """Deal the patients who have a usable photo into folds, alike in events and times."""
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
        code=code_digest("folds", "features"),
    script:
        "../workflow/scripts/split_patients.py"


rule fit_model:
    """Tune and fit one model on the training patients of one fold, and predict the others."""
    input:
        photos="<results>/cohort/photos.csv",
        patients="<results>/cohort/patients.csv",
        folds="<results>/folds.csv",
        # Only what the features need: clinical models and pixels do not wait for the generator.
        features=branch(
            evaluate("{features}"),
            cases={
                "face": "<results>/latents/{scope}/{view}.npz",
                "pixels": "<results>/aligned/{view}.npz",
                "discriminator": "<results>/discriminator/{scope}/{view}.npz",
                "fused": FUSED,
                "clinical": [],
            },
        ),
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
        code=code_digest("crossval", "models"),
    script:
        "../workflow/scripts/fit_model.py"
