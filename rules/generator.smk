rule finetune_generator:
    """Tune the pretrained StyleGAN2, and the encoder beside it, on the cohort's photos."""
    input:
        photos="<results>/aligned/full.npz",
        pretrained=config["generator"]["pretrained"],
    output:
        checkpoint="<results>/generator/{scope}/generator.safetensors",
        log="<results>/generator/{scope}/log.csv",
        before="<results>/generator/{scope}/before.png",
        samples="<results>/generator/{scope}/samples.png",
        reals="<results>/generator/{scope}/reals.png",
    params:
        settings=config["generator"],
        seed=config["seed"],
        code=code_digest("training", "stylegan2", "augment", "perceptual", "checkpoints"),
    log:
        "<logs>/finetune_generator/{scope}.log",
    benchmark:
        "<benchmarks>/finetune_generator/{scope}.tsv"
    threads: 8
    resources:
        mem_mb=8000,
        runtime="12h",
        gpu=1,
    conda:
        "../envs/torch.yaml"
    script:
        "../workflow/scripts/finetune_generator.py"


rule render_pretraining:
    """Render and align portraits of people outside the demo cohort."""
    input:
        detector=DETECTOR,
    output:
        photos="<results>/pretraining/{part}.npz",
    params:
        count=1000,
        resolution=config["resolution"],
        code=code_digest("portraits", "demo", "alignment", "detection", "regions"),
    log:
        "<logs>/render_pretraining/{part}.log",
    benchmark:
        "<benchmarks>/render_pretraining/{part}.tsv"
    resources:
        mem_mb=2000,
        runtime="1h",
    conda:
        "../envs/align.yaml"
    script:
        "../workflow/scripts/render_pretraining.py"


rule pretrain_generator:
    """Train the demo's generator from scratch; goes on from its state file after a stop."""
    input:
        photos=expand("<results>/pretraining/{part}.npz", part=range(12)),
    output:
        checkpoint="<results>/pretraining/generator.safetensors",
        samples="<results>/pretraining/samples.png",
    params:
        kimg=400,
        seed=config["seed"],
        state=f"{config['store']}/pretraining/state.pt",
        code=code_digest("training", "stylegan2", "augment", "perceptual", "checkpoints"),
    log:
        "<logs>/pretrain_generator.log",
    benchmark:
        "<benchmarks>/pretrain_generator.tsv"
    threads: 8
    resources:
        mem_mb=8000,
        runtime="24h",
        gpu=1,
    conda:
        "../envs/torch.yaml"
    script:
        "../workflow/scripts/pretrain_generator.py"
