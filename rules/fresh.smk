# What the config names is there, and what was made is of today's settings, code and inputs.
from snakemake.settings.types import RerunTrigger

PLACES = {name: config[name] for name in PATHS} | {
    "workflow": os.path.realpath(os.path.join(SCRIPTS, "../.."))
}


# Snakemake's own notes are lost with .snakemake, and hold for no folder of results that was copied
# or renamed. What each job noted beside its results (facies/common/seals.py) goes where they go.
def is_stale(station, wildcards):
    """Whether a result of the rule is there, and noted as made otherwise than it would be now."""
    outputs, _ = station.expand_output(wildcards)
    there = [path for path in outputs if os.path.isfile(path)]
    if not there:
        return False
    inputs = station.expand_input(wildcards)[0]
    params, _ = station.expand_params(wildcards, inputs, outputs, None)
    now = recipe(path_of_script(station), dict(params.items()), list(inputs), PLACES)
    if workflow.touch:  # the user declares what is there up to date
        for path in there:
            seal(path, now)
        return False
    return any(recipe_of(path) != now for path in there)


def looked_after(station):
    """An input function that names no file, but sees to it that the job runs if it must."""
    looking = []

    def look(wildcards):
        asked = RerunTrigger.PARAMS in workflow.rerun_triggers
        if asked and not looking:
            looking.append(True)  # the inputs of the job include this function
            found = dict(wildcards.items())
            if is_stale(station, found):
                workflow.dag.forcefiles.update(station.expand_output(found)[0])
            looking.clear()
        return []

    return look


def require_files():
    """Snakemake does not miss an input whose job is done: a mistyped name would go unnoticed."""
    for section, names in NAMED_FILES.items():
        for name in names:
            path = config.get(section, {}).get(name)
            path = path["path"] if isinstance(path, dict) else path
            rendered = name == "folder" and section == "cohort" and DEMO
            if path and not rendered and not is_there(path, name in ("folder", "demo")):
                kind = "folder" if name in ("folder", "demo") else "file"
                raise WorkflowError(
                    f"{section}.{name}: {path}: no such {kind}; correct the path"
                )


def is_there(path, folder):
    """Whether the file or folder is there, or a rule makes it."""
    found = os.path.isdir if folder else os.path.isfile
    return found(path) or any(known.is_producer(path) for known in workflow.rules)


def path_of_script(station):
    return station.basedir.join(station.script).get_path_or_uri(secret_free=False)


STATIONS = [
    station
    for station in workflow.modifier.rules
    if station.script and not set(station.output) & {DETECTOR[0], TEACHER[0]}
]
for station in STATIONS:
    station.set_params(imports=imported_by(path_of_script(station)))
if workflow.is_main_process:
    if (
        workflow.modifier.is_main_snakefile()
    ):  # another workflow's rules may make what it names
        require_files()
    try:
        refuse_others(PINNED)
    except InputError as error:
        raise WorkflowError(str(error)) from None
    for station in STATIONS:
        station.set_input(looked_after(station))
