# A bundle applied to photos of another hospital: nothing is tuned and nothing is fitted.
# Every setting that affects a photo is the bundle's, not the config's.
OUTSIDE = config["predict"]
try:
    LOCKED = read_card(OUTSIDE["bundle"])["photos"]
except InputError as error:
    raise WorkflowError(str(error)) from None
if bool(OUTSIDE["time"]) != bool(OUTSIDE["event"]):
    raise WorkflowError(
        "predict.time and predict.event: name both columns of the outcome, or neither"
    )
if OUTSIDE["time"] and not OUTSIDE["patients"]:
    raise WorkflowError("predict.patients: name the sheet with the outcome's columns")


rule check_bundle:
    """Refuse a bundle that was changed, or that this version would apply differently."""
    input:
        bundle=unnamed(OUTSIDE["bundle"]),
    output:
        card="<results>/predict/bundle.json",
    log:
        "<logs>/check_bundle.log",
    benchmark:
        "<benchmarks>/check_bundle.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(10),
    params:
        applied=APPLIED,
    script:
        "../workflow/scripts/check_bundle.py"


rule check_sheets:
    """Read the sheets; errors in them are reported before any photo is processed."""
    input:
        bundle=unnamed(OUTSIDE["bundle"]),
        card="<results>/predict/bundle.json",
        photos=unnamed(OUTSIDE["photos"]),
        patients=unnamed(OUTSIDE["patients"] or []),
    output:
        columns="<results>/predict/columns.csv",
    log:
        "<logs>/check_sheets.log",
    benchmark:
        "<benchmarks>/check_sheets.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(10),
    params:
        outcome=[OUTSIDE["time"], OUTSIDE["event"]],
        columns=OUTSIDE["columns"],
        given=lambda _: contents(OUTSIDE["photos"], OUTSIDE["patients"] or ""),
    script:
        "../workflow/scripts/check_sheets.py"


use rule align_photos as align_outside with:
    input:
        detector=DETECTOR,
        card="<results>/predict/bundle.json",
        columns="<results>/predict/columns.csv",
    output:
        manifest="<results>/predict/aligned/{shard}.json",
    log:
        "<logs>/align_outside/{shard}.log",
    benchmark:
        "<benchmarks>/align_outside/{shard}.tsv"
    params:
        settings=LOCKED["alignment"],
        resolution=LOCKED["resolution"],
        photos=OUTSIDE["photos"],
        folder=OUTSIDE["folder"],
        shards=OUTSIDE["shards"],
        store=config["store"],
        fingerprint=lambda wildcards: fingerprints(
            OUTSIDE["photos"], OUTSIDE["folder"], OUTSIDE["shards"]
        )[int(wildcards.shard)],
        code=ALIGNED_BY,


use rule project_photos as project_outside with:
    input:
        aligned="<results>/predict/aligned/{shard}.json",
        checkpoint=unnamed(OUTSIDE["bundle"]),
        card="<results>/predict/bundle.json",
        perception=SHIPPED,
        named=[],
        detector=DETECTOR,
    output:
        manifest="<results>/predict/latents/{shard}.json",
    log:
        "<logs>/project_outside/{shard}.log",
    benchmark:
        "<benchmarks>/project_outside/{shard}.tsv"
    params:
        settings=LOCKED["projection"],
        named={},
        pinned={},
        store=config["store"],
        code=PROJECTED_BY,


rule predict_patients:
    """Risks of the new patients and, if their outcomes are known, external validation."""
    input:
        bundle=unnamed(OUTSIDE["bundle"]),
        card="<results>/predict/bundle.json",
        columns="<results>/predict/columns.csv",
        photos=unnamed(OUTSIDE["photos"]),
        patients=unnamed(OUTSIDE["patients"] or []),
        aligned=expand(
            rules.align_outside.output.manifest, shard=range(OUTSIDE["shards"])
        ),
        latents=expand(
            rules.project_outside.output.manifest, shard=range(OUTSIDE["shards"])
        ),
    output:
        predictions="<results>/predict/predictions.csv",
        validation="<results>/predict/validation.json",
    log:
        "<logs>/predict_patients.log",
    benchmark:
        "<benchmarks>/predict_patients.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(30),
    params:
        outcome=[OUTSIDE["time"], OUTSIDE["event"]],
        columns=OUTSIDE["columns"],
        given=lambda _: contents(
            OUTSIDE["bundle"], OUTSIDE["photos"], OUTSIDE["patients"] or ""
        ),
        gate=LOCKED["gate"],
        seed=config["seed"],
        store=config["store"],
    script:
        "../workflow/scripts/predict_patients.py"


rule predict:
    """All results for new patients, of every rule for the reason given at KEPT."""
    input:
        rules.check_bundle.output,
        rules.check_sheets.output,
        rules.predict_patients.input.aligned,
        rules.predict_patients.input.latents,
        rules.predict_patients.output,
