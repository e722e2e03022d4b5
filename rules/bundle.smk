# What is bundled: the first of the configured models that is linear, for each of these features.
LINEAR = next(
    (m for m in config["survival"]["models"] if m in ("coxph", "coxnet")), None
)
# Fused as the folds were, or not at all.
STACKED = ["fused"] if config["survival"]["fusion"] == "stack" else []
BUNDLED = ["face", *(name for name in ("clinical", *STACKED) if name in FEATURES)]
REFIT = "<results>/bundle/{features}.npz"
# Code that decides what a photo becomes: whoever applies the bundle must have the same.
APPLIED = {
    "alignment": ALIGNED_BY,
    "projection": PROJECTED_BY,
}


rule refit_model:
    """Tune and fit the bundled model on all patients, as for a fold on its training patients."""
    input:
        photos=PHOTOS,
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        features=branch(
            evaluate("{features}"),
            cases={
                "face": LATENTS,
                "fused": "<results>/bundle/face.npz",
                "clinical": [],
            },
        ),
    output:
        model=REFIT,
    log:
        "<logs>/refit_model/{features}.log",
    benchmark:
        "<benchmarks>/refit_model/{features}.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=22),
        runtime=by_attempt(60),
    params:
        settings={
            "seed": config["seed"],
            "inner_folds": config["survival"]["inner_folds"],
            "clinical": config["cohort"]["clinical"],
            "model": LINEAR,
        },
    script:
        "../workflow/scripts/refit_model.py"


rule write_bundle:
    """Lock generator, encoder, models and settings into one file for other hospitals."""
    input:
        models=bundled_models,
        columns="<results>/cohort/columns.csv",
        checkpoint="<results>/generator/cohort/generator.safetensors",
        photos=PHOTOS,
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        summary="<results>/evaluation/summary.json",
        table=rules.merge_aligned.output.table,
        latents=LATENTS,
    output:
        bundle="<results>/bundle/bundle.safetensors",
        card="<results>/bundle/card.md",
    log:
        "<logs>/write_bundle.log",
    benchmark:
        "<benchmarks>/write_bundle.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=4),
        runtime=by_attempt(30),
    params:
        features=BUNDLED,
        model=LINEAR,
        clinical=config["cohort"]["clinical"],
        time_unit=config["cohort"]["time_unit"],
        photos={
            "resolution": config["resolution"],
            "alignment": config["alignment"],
            "projection": PROJECTION,
            "gate": config["projection"]["gate"],
        },
        applied=APPLIED,
    script:
        "../workflow/scripts/write_bundle.py"
