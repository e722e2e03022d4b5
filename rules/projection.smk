# What a photo's code depends on, beside its crop and the networks.
PROJECTION = {
    name: config["projection"][name] for name in ("steps", "batch", "face_weight")
} | {"precision": config["generator"]["precision"]}
PROJECTED_BY = code_digest(
    "projection.projector",
    "projection.fidelity",
    "projection.likeness",
    "generator.checkpoints",
)
# The network of the repository, in whose features reconstructions are measured.
SHIPPED = "resources/perception.safetensors"
# Networks that the user has beside it.
NAMED = {"lpips": LPIPS, "identity": IDENTITY}
# One list of photos for all that is learned, whatever generator and view it sees them by: those
# that pass here. Clinical models and pixels wait for it only where it leaves out.
LATENTS = "<results>/latents/cohort/full.npz"
LEAVES_OUT = config["projection"]["gate"]["action"] == "leave out"
PHOTOS = "<results>/gate/photos.csv" if LEAVES_OUT else "<results>/cohort/photos.csv"
FOLDS = "<results>/gate/folds.csv" if LEAVES_OUT else "<results>/folds.csv"


rule project_photos:
    """Project a shard's photos to W+ codes, those that the store does not hold yet."""
    input:
        aligned="<results>/aligned/{view}/{shard}.json",
        checkpoint="<results>/generator/{generator}/generator.safetensors",
        perception=SHIPPED,
        named=unnamed([path for path in NAMED.values() if path]),
        detector=DETECTOR,
    output:
        manifest="<results>/latents/{generator}/{view}/{shard}.json",
    log:
        "<logs>/project_photos/{generator}-{view}-{shard}.log",
    benchmark:
        "<benchmarks>/project_photos/{generator}-{view}-{shard}.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(240),
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
    """Gather the codes of all photos and the quality of their reconstructions."""
    input:
        manifests=expand(rules.project_photos.output, shard=SHARDS, allow_missing=True),
        # Which photos are usable does not depend on the view.
        aligned="<results>/aligned/full.csv",
    output:
        latents="<results>/latents/{generator}/{view}.npz",
    log:
        "<logs>/merge_latents/{generator}-{view}.log",
    benchmark:
        "<benchmarks>/merge_latents/{generator}-{view}.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(20),
    params:
        store=config["store"],
    script:
        "../workflow/scripts/merge_latents.py"


rule gate_photos:
    """List the photos that fail reconstruction quality control; leave them out if configured."""
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
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        gate=config["projection"]["gate"],
    script:
        "../workflow/scripts/gate_photos.py"


rule embed_photos:
    """Features of the aligned photos in the tuned discriminator, for comparison with codes."""
    input:
        aligned=rules.merge_aligned.output.photos,
        checkpoint="<results>/generator/{generator}/generator.safetensors",
    output:
        features="<results>/discriminator/{generator}/full.npz",
    log:
        "<logs>/embed_photos/{generator}.log",
    benchmark:
        "<benchmarks>/embed_photos/{generator}.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=4),
        runtime=by_attempt(30),
        gpu=1,
    script:
        "../workflow/scripts/embed_photos.py"


KEPT += rules.gate_photos.output
KEPT += expand(
    rules.project_photos.output, generator=GENERATORS, view="full", shard=SHARDS
)
KEPT += expand(rules.merge_latents.output, generator=GENERATORS, view="full")
if "discriminator" in config["survival"]["features"]:
    KEPT += expand(rules.embed_photos.output, generator=GENERATORS)
