# The planted truth is for the evaluation of the demo alone.
DEMO = config["cohort"]["demo"]


rule permute_outcomes:
    """Permutation test: the whole protocol on permuted outcomes."""
    input:
        photos=PHOTOS,
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        features=LATENTS,
    output:
        permutation="<results>/evaluation/permutation.json",
    log:
        "<logs>/permute_outcomes.log",
    benchmark:
        "<benchmarks>/permute_outcomes.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=22),
        runtime=by_attempt(120),
    params:
        settings={
            name: config["survival"][name] for name in ("inner_folds", "permutations")
        }
        | {"seed": config["seed"]},
    script:
        "../workflow/scripts/permute_outcomes.py"


rule evaluate:
    """Scores of every model over the folds: summary, measures, curves of risk groups, risks."""
    input:
        flow="<results>/cohort/flow.json",
        photos="<results>/cohort/photos.csv",
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        aligned=rules.merge_aligned.output.table,
        gate="<results>/gate/table.csv",
        fits=ALL_FITS,
        truth=branch(bool(DEMO), then=f"{DEMO}/truth.csv"),
        latents=branch(bool(DEMO), then=LATENTS),
        images=branch(bool(DEMO), then=rules.merge_aligned.output.photos),
    output:
        summary="<results>/evaluation/summary.json",
        measures="<results>/evaluation/measures.json",
        curves="<results>/evaluation/curves.json",
        risks="<results>/evaluation/risks.csv",
    log:
        "<logs>/evaluate.log",
    benchmark:
        "<benchmarks>/evaluate.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=4),
        runtime=by_attempt(120),
    params:
        settings={
            "seed": config["seed"],
            "horizons": config["survival"]["horizons"],
            "clinical": config["cohort"]["clinical"],
            "model": config["survival"]["models"][0],
        },
    script:
        "../workflow/scripts/evaluate.py"


KEPT += rules.permute_outcomes.output
KEPT += rules.evaluate.output
