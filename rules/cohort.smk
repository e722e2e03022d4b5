rule check_cohort:
    """Check the sheets; list what cannot be used, with the reason."""
    input:
        photos=config["cohort"]["photos"],
        patients=config["cohort"]["patients"],
    output:
        photos="<results>/cohort/photos.csv",
        patients="<results>/cohort/patients.csv",
        flow="<results>/cohort/flow.json",
    params:
        columns={name: config["cohort"][name] for name in ("time", "event", "clinical")},
        code=code_digest("cohort"),
    log:
        "<logs>/check_cohort.log",
    benchmark:
        "<benchmarks>/check_cohort.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../envs/survival.yaml"
    script:
        "../workflow/scripts/check_cohort.py"
