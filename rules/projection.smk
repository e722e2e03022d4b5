# What a photo's code depends on, beside its crop and the networks.
PROJECTION = {
    name: config["projection"][name]
    for name in ("space", "steps", "batch", "tolerance", "noise", "face_weight")
} | {"precision": config["generator"]["precision"]}
PROJECTED_BY = code_digest(
    "projection.projector",
    "projection.fidelity",
    "projection.likeness",
    "generator.checkpoints",
)
# The network that ships, in whose features reconstructions are measured.
SHIPPED = "resources/perception.safetensors"
# Networks that the user has beside it.
NAMED = {"lpips": LPIPS, "identity": IDENTITY}
# One list of photos for all that is learned, whatever generator and view it sees them by: those
# that pass in the first of each. Clinical models and pixels wait for it only where it leaves out.
LATENTS = f"<results>/latents/{config['scopes'][0]}/{config['views'][0]}.npz"
LEAVES_OUT = config["projection"]["gate"]["action"] == "leave out"
PHOTOS = "<results>/gate/photos.csv" if LEAVES_OUT else "<results>/cohort/photos.csv"
FOLDS = "<results>/gate/folds.csv" if LEAVES_OUT else "<results>/folds.csv"


rule project_photos:
    """Find the W+ code of each of a shard's photos; only what the store lacks is computed."""
    input:
        aligned="<results>/aligned/{view}/{shard}.json",
        checkpoint="<results>/generator/{scope}/generator.safetensors",
        perception=SHIPPED,
        named=unnamed([path for path in NAMED.values() if path]),
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
        settings=PROJECTION,
        named=NAMED,
        pinned=PINNED,
        store=config["store"],
        code=PROJECTED_BY,
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
    script:
        "../workflow/scripts/merge_latents.py"


rule gate_photos:
    """List the photos whose reconstructions fail quality control, and exclude them if asked to."""
    input:
        photos="<results>/cohort/photos.csv",
        folds="<results>/folds.csv",
        latents=LATENTS,
    output:
        table="<results>/gate/table.csv",
        photos="<results>/gate/photos.csv",
        folds="<results>/gate/folds.csv",
    log:
        "<logs>/gate_photos.log",
    benchmark:
        "<benchmarks>/gate_photos.tsv"
    conda:
        "../envs/survival.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        gate=config["projection"]["gate"],
    script:
        "../workflow/scripts/gate_photos.py"


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
    script:
        "../workflow/scripts/embed_photos.py"
