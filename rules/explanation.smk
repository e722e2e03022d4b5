# Patients' faces are drawn only where the config allows it; the demo's are nobody's.
FACES_SHOWN = config["report"]["patient_photos"] or bool(config["cohort"]["demo"])


rule explain:
    """Each fold's health direction, and the health scores of its test patients."""
    input:
        photos=PHOTOS,
        named="<results>/cohort/photo_columns.csv",
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        aligned=rules.merge_aligned.output.table,
        latents=LATENTS,
        fits=fits_of("face", "coxph"),
        truth=branch(bool(DEMO), then=f"{DEMO}/truth.csv"),
        portraits=branch(bool(DEMO), then=f"{DEMO}/portraits.csv"),
    output:
        direction="<results>/explanation/direction.npz",
        figures="<results>/explanation/direction.json",
        health="<results>/explanation/health.csv",
    log:
        "<logs>/explain.log",
    benchmark:
        "<benchmarks>/explain.tsv"
    conda:
        "../envs/survival.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=4),
        runtime=by_attempt(30),
    params:
        settings={
            "seed": config["seed"],
            "clinical": config["cohort"]["clinical"],
            "columns": config["explanation"]["columns"],
        },
    script:
        "../workflow/scripts/explain.py"


rule edit_faces:
    """Edit faces to a target risk, and check that the edits reach it and keep face and person."""
    input:
        direction=rules.explain.output.direction,
        photos=PHOTOS,
        folds=FOLDS,
        latents=LATENTS,
        aligned=rules.merge_aligned.output.photos,
        checkpoint="<results>/generator/cohort/generator.safetensors",
        perception=unnamed(PERCEPTION),
        detector=DETECTOR,
    output:
        **(
            {
                "patients": "<results>/explanation/patients.png",
                "patients_moving": "<results>/explanation/patients.webp",
            }
            if FACES_SHOWN
            else {}
        ),
        figures="<results>/explanation/edits.json",
        strip="<results>/explanation/strip.png",
        walks="<results>/explanation/walks.png",
        moving="<results>/explanation/walks.webp",
    log:
        "<logs>/edit_faces.log",
    benchmark:
        "<benchmarks>/edit_faces.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=4),
        runtime=by_attempt(60),
        gpu=1,
    params:
        settings=PROJECTION,
        seed=config["seed"],
        pinned=PINNED,
        show=FACES_SHOWN,
    script:
        "../workflow/scripts/edit_faces.py"


rule attribute_risk:
    """Map which pixels carry the risk: by the generator's Jacobian and by occlusion."""
    input:
        direction=rules.explain.output.direction,
        photos=PHOTOS,
        folds=FOLDS,
        latents=LATENTS,
        aligned=rules.merge_aligned.output.photos,
        checkpoint="<results>/generator/cohort/generator.safetensors",
        detector=DETECTOR,
    output:
        **(
            {"patients": "<results>/explanation/patients_attribution.png"}
            if FACES_SHOWN
            else {}
        ),
        figures="<results>/explanation/attribution.json",
        mean="<results>/explanation/attribution.png",
    log:
        "<logs>/attribute_risk.log",
    benchmark:
        "<benchmarks>/attribute_risk.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=by_input_size(4000, per_mb=4),
        runtime=by_attempt(60),
        gpu=1,
    params:
        seed=config["seed"],
        show=FACES_SHOWN,
    script:
        "../workflow/scripts/attribute_risk.py"


KEPT += rules.explain.output
KEPT += rules.edit_faces.output
KEPT += rules.attribute_risk.output
