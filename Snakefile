# Facies: from portrait photographs to survival.
# The road: cohort -> aligned -> generator -> latents -> fits -> evaluation, explanation -> report.
from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "rules/settings.smk"


pathvars:
    results=config["results"],
    logs=f"{config['results']}/logs",
    benchmarks=f"{config['results']}/benchmarks",


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/demo.smk"
include: "rules/cohort.smk"
include: "rules/planning.smk"
include: "rules/photos.smk"
include: "rules/generator.smk"
include: "rules/projection.smk"
include: "rules/survival.smk"
include: "rules/evaluation.smk"
include: "rules/explanation.smk"
include: "rules/reliance.smk"
include: "rules/report.smk"
include: "rules/bundle.smk"


if "predict" in config:

    include: "rules/predict.smk"


rule all:
    """Every result that is kept, not the report alone: a job that failed leaves its file missing,
    and only a missing file that is asked for makes Snakemake run it again."""
    default_target: True
    input:
        rules.write_report.output,
        rules.check_cohort.output,
        rules.split_patients.output,
        rules.gate_photos.output,
        rules.evaluate.output,
        rules.permute_outcomes.output,
        rules.evaluate.input.fits,
        expand(
            "<results>/demo/{shard}.json",
            shard=SHARDS if config["cohort"]["demo"] else [],
        ),
        expand(
            "<results>/aligned/{view}/{shard}.json",
            view=["full", *OTHERS],
            shard=SHARDS,
        ),
        expand(rules.merge_aligned.output, view="full"),
        rules.import_generator.output,
        expand(rules.finetune_generator.output, scope=GENERATORS),
        expand(
            "<results>/latents/{scope}/{view}/{shard}.json",
            scope="cohort",
            view=OTHERS,
            shard=SHARDS,
        ),
        expand(
            "<results>/latents/{scope}/full/{shard}.json",
            scope=GENERATORS,
            shard=SHARDS,
        ),
        expand(rules.merge_latents.output, scope=GENERATORS, view="full"),
        expand(rules.merge_latents.output, scope="cohort", view=[*CONTROLS, *COVERS]),
        expand(rules.explain.output, scope="cohort", view="full"),
        expand(rules.edit_faces.output, scope="cohort", view="full"),
        expand(rules.attribute_risk.output, scope="cohort", view="full"),
        rules.measure_nuisance.output,
        rules.weigh_nuisance.output,
        rules.weigh_layers.output,
        rules.judge_reliance.input.fits,
        rules.judge_reliance.output,


rule bundle:
    """The bundle for other hospitals, of a run that is whole."""
    input:
        rules.all.input,
        bundled_models,
        rules.write_bundle.output,


include: "rules/fresh.smk"
