# Whatever is shown for one generator and one view is shown for the first of each.
ALIGNED = f"<results>/aligned/{config['views'][0]}"
# The planted truth is for the evaluation of the demo alone.
DEMO = config["cohort"]["demo"]


rule permute_outcomes:
    """Rerun the protocol on permuted outcomes: what C does chance reach?"""
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
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        settings={
            name: config["survival"][name] for name in ("inner_folds", "permutations")
        }
        | {"seed": config["seed"]},
    script:
        "../workflow/scripts/permute_outcomes.py"


rule evaluate:
    """Score every model over the folds: summary, measures, the risk groups' curves, the risks."""
    input:
        flow="<results>/cohort/flow.json",
        photos="<results>/cohort/photos.csv",
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        aligned=f"{ALIGNED}.csv",
        gate="<results>/gate/table.csv",
        fits=ALL_FITS,
        truth=branch(bool(DEMO), then=f"{DEMO}/truth.csv"),
        latents=branch(bool(DEMO), then=LATENTS),
        images=branch(bool(DEMO), then=f"{ALIGNED}.npz"),
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
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        settings={
            "seed": config["seed"],
            "horizons": config["survival"]["horizons"],
            "clinical": config["cohort"]["clinical"],
            "headline": [config[name][0] for name in ("views", "scopes")]
            + [config["survival"]["models"][0]],
        },
    script:
        "../workflow/scripts/evaluate.py"
