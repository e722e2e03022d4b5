EXPLANATION = "<results>/explanation/{scope}/{view}"
# Patients' faces are drawn only where the config allows it; the demo's are nobody's.
FACES_SHOWN = config["report"]["patient_photos"] or bool(config["cohort"]["demo"])


rule explain:
    """Find each fold's health direction and score its held-out patients along it."""
    input:
        photos=PHOTOS,
        named="<results>/cohort/photo_columns.csv",
        patients="<results>/cohort/patients.csv",
        folds=FOLDS,
        aligned="<results>/aligned/{view}.csv",
        latents="<results>/latents/{scope}/{view}.npz",
        fits=expand(
            "<results>/fits/{{scope}}/{{view}}/face/coxph/{repeat}-{fold}.npz",
            repeat=range(1, config["survival"]["repeats"] + 1),
            fold=range(1, config["survival"]["folds"] + 1),
        ),
        truth=branch(bool(DEMO), then=f"{DEMO}/truth.csv"),
        portraits=branch(bool(DEMO), then=f"{DEMO}/portraits.csv"),
    output:
        direction=f"{EXPLANATION}/direction.npz",
        figures=f"{EXPLANATION}/direction.json",
        health=f"{EXPLANATION}/health.csv",
    log:
        "<logs>/explain/{scope}-{view}.log",
    benchmark:
        "<benchmarks>/explain/{scope}-{view}.tsv"
    conda:
        "../envs/survival.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings={
            "seed": config["seed"],
            "clinical": config["cohort"]["clinical"],
            "columns": config["explanation"]["columns"],
        },
    script:
        "../workflow/scripts/explain.py"


rule edit_faces:
    """Edit faces to a target risk, draw them, and check risk, regions and identity of the edits."""
    input:
        direction=f"{EXPLANATION}/direction.npz",
        photos=PHOTOS,
        folds=FOLDS,
        latents="<results>/latents/{scope}/{view}.npz",
        aligned="<results>/aligned/{view}.npz",
        checkpoint="<results>/generator/{scope}/generator.safetensors",
        perception=unnamed(PERCEPTION),
        detector=DETECTOR,
    output:
        **(
            {
                "patients": f"{EXPLANATION}/patients.png",
                "patients_moving": f"{EXPLANATION}/patients.webp",
            }
            if FACES_SHOWN
            else {}
        ),
        figures=f"{EXPLANATION}/edits.json",
        strip=f"{EXPLANATION}/strip.png",
        walks=f"{EXPLANATION}/walks.png",
        moving=f"{EXPLANATION}/walks.webp",
    log:
        "<logs>/edit_faces/{scope}-{view}.log",
    benchmark:
        "<benchmarks>/edit_faces/{scope}-{view}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=1,
    params:
        settings=PROJECTION,
        seed=config["seed"],
        pinned=PINNED,
        show=FACES_SHOWN,
    script:
        "../workflow/scripts/edit_faces.py"


rule attribute_risk:
    """Map which pixels carry the risk, by the generator's Jacobian and by covering photos."""
    input:
        direction=f"{EXPLANATION}/direction.npz",
        photos=PHOTOS,
        folds=FOLDS,
        latents="<results>/latents/{scope}/{view}.npz",
        aligned="<results>/aligned/{view}.npz",
        checkpoint="<results>/generator/{scope}/generator.safetensors",
        detector=DETECTOR,
    output:
        **(
            {"patients": f"{EXPLANATION}/patients_attribution.png"}
            if FACES_SHOWN
            else {}
        ),
        figures=f"{EXPLANATION}/attribution.json",
        mean=f"{EXPLANATION}/attribution.png",
    log:
        "<logs>/attribute_risk/{scope}-{view}.log",
    benchmark:
        "<benchmarks>/attribute_risk/{scope}-{view}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=1,
    params:
        seed=config["seed"],
        show=FACES_SHOWN,
    script:
        "../workflow/scripts/attribute_risk.py"
