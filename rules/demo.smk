rule render_portraits:
    """Render a shard of the demo's photos from the parameters in their sheet."""
    output:
        manifest="<results>/demo/{shard}.json",
    params:
        portraits=f"{config['cohort']['demo']}/portraits.csv",
        folder=config["cohort"]["folder"],
        shards=len(SHARDS),
        fingerprint=fingerprint,
        code=code_digest("portraits"),
    log:
        "<logs>/render_portraits/{shard}.log",
    benchmark:
        "<benchmarks>/render_portraits/{shard}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    conda:
        "../envs/align.yaml"
    script:
        "../workflow/scripts/render_portraits.py"
