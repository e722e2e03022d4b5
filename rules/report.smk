from glob import glob

VIEW, SCOPE = config["views"][0], config["scopes"][0]
PATIENTS_SHOWN = {
    name: f"<results>/explanation/{SCOPE}/{VIEW}/{picture}"
    for name, picture in {
        "edited": "patients.png",
        "edited_moving": "patients.webp",
        "mapped": "patients_attribution.png",
    }.items()
    if FACES_SHOWN
}
if FACES_SHOWN:
    PATIENTS_SHOWN["examples"] = EXAMPLES


TEMPLATES = os.path.normpath(f"{SCRIPTS}/../report")


rule write_report:
    """Gather everything into one HTML file for readers."""
    input:
        **PATIENTS_SHOWN,
        columns="<results>/cohort/columns.csv",
        template=unnamed(f"{TEMPLATES}/report.html.jinja"),
        parts=lambda wildcards: sorted(glob(f"{TEMPLATES}/**/*.jinja", recursive=True)),
        summary="<results>/evaluation/summary.json",
        measures="<results>/evaluation/measures.json",
        curves="<results>/evaluation/curves.json",
        permutation="<results>/evaluation/permutation.json",
        table=f"<results>/aligned/{VIEW}.csv",
        aligned=f"<results>/aligned/{VIEW}.npz",
        latents=f"<results>/latents/{SCOPE}/{VIEW}.npz",
        gate="<results>/gate/table.csv",
        log=f"<results>/generator/{SCOPE}/log.csv",
        before=rules.import_generator.output.samples,
        samples=f"<results>/generator/{SCOPE}/samples.png",
        quality=f"<results>/generator/{SCOPE}/quality.json",
        closest=f"<results>/generator/{SCOPE}/closest.npz",
        direction=f"<results>/explanation/{SCOPE}/{VIEW}/direction.json",
        edits=f"<results>/explanation/{SCOPE}/{VIEW}/edits.json",
        attribution=f"<results>/explanation/{SCOPE}/{VIEW}/attribution.json",
        strip=f"<results>/explanation/{SCOPE}/{VIEW}/strip.png",
        walks=f"<results>/explanation/{SCOPE}/{VIEW}/walks.png",
        reliance=rules.judge_reliance.output.reliance,
        moving=f"<results>/explanation/{SCOPE}/{VIEW}/walks.webp",
        maps=f"<results>/explanation/{SCOPE}/{VIEW}/attribution.png",
    output:
        report=report(
            "<results>/report.html",
            caption="../workflow/report/report.rst",
            category="Report",
        ),
    log:
        "<logs>/write_report.log",
    benchmark:
        "<benchmarks>/write_report.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        config=without_places(),
        benchmarks=f"{config['results']}/benchmarks",
    script:
        "../workflow/scripts/write_report.py"
