rule check_cohort:
    """Check the sheets; list what cannot be used, with reasons."""
    input:
        photos=unnamed(config["cohort"]["photos"]),
        patients=unnamed(config["cohort"]["patients"]),
    output:
        photos="<results>/cohort/photos.csv",
        patients="<results>/cohort/patients.csv",
        named="<results>/cohort/photo_columns.csv",
        columns="<results>/cohort/columns.csv",
        flow="<results>/cohort/flow.json",
    log:
        "<logs>/check_cohort.log",
    benchmark:
        "<benchmarks>/check_cohort.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(10),
    params:
        columns={
            name: config["cohort"][name]
            for name in ("time", "event", "clinical", "nuisance", "time_unit")
        }
        | {"declared": config["cohort"]["columns"]}
        | {"explained": config["explanation"]["columns"] or []},
        folds=config["survival"]["folds"],
        sheets=lambda _: contents(
            config["cohort"]["photos"], config["cohort"]["patients"]
        ),
    script:
        "../workflow/scripts/check_cohort.py"


KEPT += rules.check_cohort.output
