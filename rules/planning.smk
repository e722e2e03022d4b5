rule plan_study:
    """Estimate the precision that the cohort allows and the cost of the run, before it."""
    input:
        photos="<results>/cohort/photos.csv",
        patients="<results>/cohort/patients.csv",
        pretrained=unnamed(config["generator"]["pretrained"]),
    output:
        plan="<results>/plan.json",
        text="<results>/plan.md",
    log:
        "<logs>/plan_study.log",
    benchmark:
        "<benchmarks>/plan_study.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(10),
    params:
        config={
            name: config[name]
            for name in (
                "resolution",
                "seed",
                "controls",
                "cohort",
                "generator",
            )
            + ("projection", "survival", "reliance")
        },
    script:
        "../workflow/scripts/plan_study.py"
