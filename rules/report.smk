from glob import glob

PATIENTS_SHOWN = {}
if FACES_SHOWN:
    PATIENTS_SHOWN = {
        "edited": rules.edit_faces.output.patients,
        "edited_moving": rules.edit_faces.output.patients_moving,
        "mapped": rules.attribute_risk.output.patients,
        "examples": rules.judge_reliance.output.examples,
    }
TEMPLATES = os.path.normpath(f"{SCRIPTS}/../report")


rule write_report:
    """Write the report: one HTML file."""
    input:
        **PATIENTS_SHOWN,
        columns="<results>/cohort/columns.csv",
        template=unnamed(f"{TEMPLATES}/report.html.jinja"),
        parts=lambda wildcards: sorted(glob(f"{TEMPLATES}/**/*.jinja", recursive=True)),
        summary="<results>/evaluation/summary.json",
        measures="<results>/evaluation/measures.json",
        curves="<results>/evaluation/curves.json",
        permutation="<results>/evaluation/permutation.json",
        table=rules.merge_aligned.output.table,
        aligned=rules.merge_aligned.output.photos,
        latents=LATENTS,
        gate="<results>/gate/table.csv",
        log="<results>/generator/cohort/log.csv",
        before=rules.import_generator.output.samples,
        samples="<results>/generator/cohort/samples.png",
        quality="<results>/generator/cohort/quality.json",
        closest="<results>/generator/cohort/closest.npz",
        direction=rules.explain.output.figures,
        edits=rules.edit_faces.output.figures,
        attribution=rules.attribute_risk.output.figures,
        strip=rules.edit_faces.output.strip,
        walks=rules.edit_faces.output.walks,
        reliance=rules.judge_reliance.output.reliance,
        moving=rules.edit_faces.output.moving,
        maps=rules.attribute_risk.output.mean,
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
    resources:
        mem_mb=by_input_size(4000, per_mb=4),
        runtime=by_attempt(20),
    params:
        config=without_places(),
        benchmarks=f"{config['results']}/benchmarks",
    script:
        "../workflow/scripts/write_report.py"


KEPT += rules.write_report.output
