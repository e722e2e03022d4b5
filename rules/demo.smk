rule render_portraits:
    """Render a shard of the demo's photos from the parameters in their sheet."""
    output:
        manifest="<results>/demo/{shard}.json",
    log:
        "<logs>/render_portraits/{shard}.log",
    benchmark:
        "<benchmarks>/render_portraits/{shard}.tsv"
    conda:
        "../envs/align.yaml"
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        portraits=f"{config['cohort']['demo']}/portraits.csv",
        photos=config["cohort"]["photos"],
        folder=config["cohort"]["folder"],
        shards=len(SHARDS),
        fingerprint=fingerprint,
        code=code_digest("demo.portraits"),
    script:
        "../workflow/scripts/render_portraits.py"


if config["cohort"]["demo"]:
    KEPT += expand(rules.render_portraits.output, shard=SHARDS)
