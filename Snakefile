# Facies: from portrait photographs to survival.
# cohort -> aligned -> generator -> latents -> fits -> evaluation, explanation, reliance -> report
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
    """All results of a run."""
    default_target: True
    input:
        KEPT,


rule bundle:
    """All results, and the bundle for other hospitals."""
    input:
        KEPT,
        bundled_models,
        rules.write_bundle.output,


include: "rules/fresh.smk"
