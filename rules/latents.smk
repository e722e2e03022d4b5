rule project_photos:
    """Find the W+ code of each of a shard's photos; only what the store lacks is computed."""
    input:
        aligned="<results>/aligned/{view}/{shard}.json",
        checkpoint="<results>/generator/{scope}/generator.safetensors",
        detector=DETECTOR,
    output:
        manifest="<results>/latents/{scope}/{view}/{shard}.json",
    log:
        "<logs>/project_photos/{scope}-{view}-{shard}.log",
    benchmark:
        "<benchmarks>/project_photos/{scope}-{view}-{shard}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
        gpu=1,
    params:
        settings=config["projection"] | {"precision": config["generator"]["precision"]},
        store=config["store"],
        code=code_digest("projection", "checkpoints", "quality", "alignment"),
    script:
        "../workflow/scripts/project_photos.py"


rule merge_latents:
    """One table of codes and of how good each reconstruction is."""
    input:
        manifests=expand(
            "<results>/latents/{{scope}}/{{view}}/{shard}.json", shard=SHARDS
        ),
        # What is usable does not hang on the view.
        aligned="<results>/aligned/full.csv",
    output:
        latents="<results>/latents/{scope}/{view}.npz",
    log:
        "<logs>/merge_latents/{scope}-{view}.log",
    benchmark:
        "<benchmarks>/merge_latents/{scope}-{view}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        store=config["store"],
        code=code_digest("store", "features"),
    script:
        "../workflow/scripts/merge_latents.py"


rule embed_photos:
    """See the aligned photos through the tuned discriminator: what is known without projection."""
    input:
        aligned="<results>/aligned/{view}.npz",
        checkpoint="<results>/generator/{scope}/generator.safetensors",
    output:
        features="<results>/discriminator/{scope}/{view}.npz",
    log:
        "<logs>/embed_photos/{scope}-{view}.log",
    benchmark:
        "<benchmarks>/embed_photos/{scope}-{view}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
        gpu=1,
    params:
        code=code_digest("checkpoints", "embedding", "pictures"),
    script:
        "../workflow/scripts/embed_photos.py"
