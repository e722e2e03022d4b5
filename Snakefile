# Facies: from portrait photographs to survival.
# The road: cohort -> aligned -> generator -> latents -> fits -> evaluation, explanation -> report.
from snakemake.utils import min_version, validate

min_version("9.27")


configfile: "config/config.yaml"


validate(config, "workflow/schemas/config.schema.yaml")


pathvars:
    results=config["results"],
    logs=f"{config['results']}/logs",
    benchmarks=f"{config['results']}/benchmarks",


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/demo.smk"
include: "rules/cohort.smk"
include: "rules/planning.smk"
include: "rules/align.smk"
include: "rules/generator.smk"
include: "rules/latents.smk"
include: "rules/survival.smk"
include: "rules/evaluation.smk"
include: "rules/explanation.smk"
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
        rules.evaluate.output,
        rules.permute_outcomes.output,
        rules.evaluate.input.fits,
        expand(
            "<results>/demo/{shard}.json",
            shard=SHARDS if config["cohort"]["demo"] else [],
        ),
        expand(
            "<results>/aligned/{view}/{shard}.json", view=config["views"], shard=SHARDS
        ),
        expand(rules.merge_aligned.output, view=config["views"]),
        rules.import_generator.output,
        expand(rules.finetune_generator.output, scope=config["scopes"]),
        expand(
            "<results>/latents/{scope}/{view}/{shard}.json",
            scope=config["scopes"],
            view=config["views"],
            shard=SHARDS,
        ),
        expand(rules.merge_latents.output, scope=config["scopes"], view=config["views"]),
        expand(rules.explain.output, scope=config["scopes"], view=config["views"]),
        expand(rules.edit_faces.output, scope=SCOPE, view=VIEW),
        expand(rules.attribute_risk.output, scope=SCOPE, view=VIEW),
