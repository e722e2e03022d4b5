rule import_generator:
    """Read the checkpoint that tuning starts from, of whatever kind, and draw samples from it."""
    input:
        pretrained=unnamed(config["generator"]["pretrained"]),
    output:
        checkpoint="<results>/generator/pretrained.safetensors",
        samples="<results>/generator/pretrained.png",
        mean_face="<results>/generator/mean_face.png",
    log:
        "<logs>/import_generator.log",
    benchmark:
        "<benchmarks>/import_generator.tsv"
    # A wrong checkpoint is told before anything else is done.
    priority: 1
    conda:
        "../envs/torch.yaml"
    # What tuning starts from must not depend on the number of cores, and sums of floats can.
    threads: 1
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        label=config["generator"]["label"],
        resolution=config["resolution"],
        seed=config["seed"],
        pretrained=lambda _: contents(config["generator"]["pretrained"]),
    script:
        "../workflow/scripts/import_generator.py"


rule finetune_generator:
    """Tune the pretrained StyleGAN2, and the encoder beside it, on the cohort's photos, or on
    those of the patients whom a fold trains on."""
    input:
        photos="<results>/aligned/full.npz",
        pretrained=rules.import_generator.output.checkpoint,
        perception=unnamed(PERCEPTION),
        folds=branch(evaluate("{scope} != 'cohort'"), then="<results>/folds.csv"),
    output:
        checkpoint="<results>/generator/{scope}/generator.safetensors",
        log="<results>/generator/{scope}/log.csv",
        quality="<results>/generator/{scope}/quality.json",
        samples="<results>/generator/{scope}/samples.png",
        closest="<results>/generator/{scope}/closest.npz",
    log:
        "<logs>/finetune_generator/{scope}.log",
    benchmark:
        "<benchmarks>/finetune_generator/{scope}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=720,
        gpu=config["generator"]["gpus"],
    params:
        settings={
            name: config["generator"][name]
            for name in ("kimg", "batch", "noise", "freeze_d", "precision")
        },
        gpus=config["generator"]["gpus"],
        # The reference's bound on what a GPU of 16 GB holds.
        at_once=config["generator"]["at_once"]
        or max(min(4096 // config["resolution"], 32), 4),
        seed=config["seed"],
        store=config["store"],
        pinned=PINNED,
        # Tuned once: a new generator would mean new codes for everybody. Photos that come later
        # are projected by the one that the store keeps for all that is named here.
        tuned_for=[
            config["results"],
            config["cohort"]["photos"],
            config["cohort"]["folder"],
            config["alignment"],
            config["generator"]["generation"],
        ],
        code=code_digest("generator.tuning"),
    script:
        "../workflow/scripts/finetune_generator.py"


rule render_pretraining:
    """Render and align portraits of people outside the demo cohort."""
    output:
        photos="<results>/pretraining/{part}.npz",
    log:
        "<logs>/render_pretraining/{part}.log",
    benchmark:
        "<benchmarks>/render_pretraining/{part}.tsv"
    conda:
        "../envs/align.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        people=1000,
        resolution=config["resolution"],
    script:
        "../workflow/scripts/render_pretraining.py"


rule pretrain_generator:
    """Train the demo's generator from scratch; goes on from its state file after a stop."""
    input:
        photos=expand("<results>/pretraining/{part}.npz", part=range(12)),
    output:
        checkpoint="<results>/pretraining/generator.safetensors",
        samples="<results>/pretraining/samples.png",
    log:
        "<logs>/pretrain_generator.log",
    benchmark:
        "<benchmarks>/pretrain_generator.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=1440,
        gpu=1,
    params:
        kimg=304,
        seed=config["seed"],
        store=config["store"],
        code=code_digest("generator.pretraining"),
    script:
        "../workflow/scripts/pretrain_generator.py"


rule train_perception:
    """Train the network in whose features generators are measured."""
    input:
        photos=expand("<results>/pretraining/{part}.npz", part=range(10)),
    output:
        checkpoint="<results>/pretraining/perception.safetensors",
    log:
        "<logs>/train_perception.log",
    benchmark:
        "<benchmarks>/train_perception.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=4000,
        runtime=120,
        gpu=1,
    params:
        kimg=200,
        seed=config["seed"],
    script:
        "../workflow/scripts/train_perception.py"
