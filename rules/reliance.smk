# What the model uses: the analysis repeated on parts of the photo, and the risk of changed photos.
# Ridge Cox throughout: it is linear, so that the effect of a change on the risk is exact.
VIEWS = ["full", *config["controls"]]
COVERS = expand(
    "{kind}_{region}",
    kind=["without", "inpainted", "random"],
    region=config["reliance"]["cover"],
)
EXAMPLES = "<results>/reliance/examples.png"
SWAPPED = ["swapped"] if config["reliance"]["swap"] else []
# What is projected by the generator of all photos besides the full photos.
MASKED = [*config["controls"], *COVERS]


rule mask_photos:
    """Hide a part of a shard's photos, those that the store does not hold yet."""
    input:
        aligned="<results>/aligned/full/{shard}.json",
        fill=rules.import_generator.output.mean_face,
    output:
        manifest="<results>/aligned/{view}/{shard}.json",
    log:
        "<logs>/mask_photos/{view}-{shard}.log",
    benchmark:
        "<benchmarks>/mask_photos/{view}-{shard}.tsv"
    wildcard_constraints:
        view="(?!full|swapped)[a-z_]+",
    conda:
        "../envs/align.yaml"
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        store=config["store"],
        code=code_digest("reliance.views"),
    script:
        "../workflow/scripts/mask_photos.py"


rule swap_backgrounds:
    """Exchange the backgrounds of test patients of a fold, in blocks."""
    input:
        manifests=rules.merge_aligned.input.manifests,
        aligned=rules.merge_aligned.output.table,
        photos=PHOTOS,
        folds=FOLDS,
    output:
        manifests=expand("<results>/aligned/swapped/{shard}.json", shard=SHARDS),
        blocks="<results>/reliance/blocks.json",
    log:
        "<logs>/swap_backgrounds.log",
    benchmark:
        "<benchmarks>/swap_backgrounds.tsv"
    conda:
        "../envs/align.yaml"
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        seed=config["seed"],
        store=config["store"],
        code=code_digest("reliance.views", "reliance.swap"),
    script:
        "../workflow/scripts/swap_backgrounds.py"


rule measure_nuisance:
    """Measure nuisance variables of each photo: camera, light, crop, file."""
    input:
        manifests=rules.merge_aligned.input.manifests,
        aligned=rules.merge_aligned.output.table,
        named="<results>/cohort/photo_columns.csv",
    output:
        table="<results>/reliance/nuisance.csv",
    log:
        "<logs>/measure_nuisance.log",
    benchmark:
        "<benchmarks>/measure_nuisance.tsv"
    conda:
        "../envs/align.yaml"
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        columns=config["cohort"]["nuisance"],
        folder=config["cohort"]["folder"],
        store=config["store"],
    script:
        "../workflow/scripts/measure_nuisance.py"


rule weigh_nuisance:
    """C of the nuisance variables, and the incremental value of the face beyond them."""
    input:
        nuisance=rules.measure_nuisance.output.table,
        photos=PHOTOS,
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        # The full photo's risk would include information of the background beyond its mean colour.
        fits=fits_of("face", "coxph", view="face" if "face" in VIEWS else "full"),
    output:
        nuisance="<results>/reliance/nuisance.json",
    log:
        "<logs>/weigh_nuisance.log",
    benchmark:
        "<benchmarks>/weigh_nuisance.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=4),
        runtime=by_attempt(60),
    params:
        settings={
            "seed": config["seed"],
            "inner_folds": config["survival"]["inner_folds"],
            "clinical": config["cohort"]["clinical"],
        },
    script:
        "../workflow/scripts/weigh_nuisance.py"


rule weigh_layers:
    """Which layers of W+ carry the risk: each alone, left out, and permuted among patients."""
    input:
        latents=LATENTS,
        photos=PHOTOS,
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        fits=fits_of("face", "coxph", repeat=1),
    output:
        layers="<results>/reliance/layers.json",
    log:
        "<logs>/weigh_layers.log",
    benchmark:
        "<benchmarks>/weigh_layers.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=4),
        runtime=by_attempt(120),
    params:
        settings={
            "seed": config["seed"],
            "inner_folds": config["survival"]["inner_folds"],
        },
    script:
        "../workflow/scripts/weigh_layers.py"


rule judge_reliance:
    """Judge controls, covers, swaps, nuisances and edits by the rules stated in advance."""
    input:
        photos=PHOTOS,
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        fits=fits_of("face", "coxph", view=VIEWS),
        latents=LATENTS,
        covered=expand(rules.merge_latents.output, generator="cohort", view=COVERS),
        swapped=expand(
            rules.project_photos.output,
            generator="cohort",
            view=SWAPPED,
            shard=SHARDS,
        ),
        blocks=rules.swap_backgrounds.output.blocks if SWAPPED else [],
        manifests=expand(
            "<results>/aligned/{view}/{shard}.json",
            view=["full", *MASKED],
            shard=SHARDS,
        ),
        composed=rules.swap_backgrounds.output.manifests if SWAPPED else [],
        nuisance=rules.weigh_nuisance.output.nuisance,
        layers=rules.weigh_layers.output.layers,
        edits=rules.edit_faces.output.figures,
    output:
        **({"examples": EXAMPLES} if FACES_SHOWN else {}),
        reliance="<results>/reliance/reliance.json",
    log:
        "<logs>/judge_reliance.log",
    benchmark:
        "<benchmarks>/judge_reliance.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=4),
        runtime=by_attempt(60),
    params:
        views=VIEWS,
        show=FACES_SHOWN,
        regions=config["reliance"]["cover"],
        covers=COVERS,
        seed=config["seed"],
        store=config["store"],
    script:
        "../workflow/scripts/judge_reliance.py"


KEPT += expand(rules.mask_photos.output, view=MASKED, shard=SHARDS)
KEPT += rules.swap_backgrounds.output if SWAPPED else []
KEPT += expand(
    rules.project_photos.output,
    generator="cohort",
    view=[*MASKED, *SWAPPED],
    shard=SHARDS,
)
KEPT += expand(rules.merge_latents.output, generator="cohort", view=MASKED)
KEPT += rules.measure_nuisance.output
KEPT += rules.weigh_nuisance.output
KEPT += rules.weigh_layers.output
KEPT += rules.judge_reliance.input.fits
KEPT += rules.judge_reliance.output
