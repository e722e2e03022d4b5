rule explain:
    """Map the Cox coefficients back to W+ and walk faces from ill to healthy."""
    input:
        latents="<results>/latents/{scope}/{view}.npz",
        checkpoint="<results>/generator/{scope}/generator.safetensors",
        fits=expand(
            "<results>/fits/{{scope}}/{{view}}/face/coxph/{repeat}-{fold}.npz",
            repeat=range(1, config["survival"]["repeats"] + 1),
            fold=range(1, config["survival"]["folds"] + 1),
        ),
    output:
        direction="<results>/explanation/{scope}/{view}/direction.npz",
        strip="<results>/explanation/{scope}/{view}/strip.png",
        walks="<results>/explanation/{scope}/{view}/walks.png",
    log:
        "<logs>/explain/{scope}-{view}.log",
    benchmark:
        "<benchmarks>/explain/{scope}-{view}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        seed=config["seed"],
        code=code_digest("direction", "checkpoints"),
    script:
        "../workflow/scripts/explain.py"
