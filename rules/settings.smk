# The config is checked and its paths made plain, before any rule reads it.
import contextlib
import os
import sys

from jsonschema import ValidationError
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

# Results and Snakemake's own notes tell of patients: nobody else may read them.
os.umask(0o077)
with contextlib.suppress(OSError):  # Snakemake makes the folder before it reads this
    os.chmod(".snakemake", 0o700)
# Jobs read and write UTF-8, whatever the machine's language.
os.environ.update(PYTHONUTF8="1")

PATHS = ["results", "store"]
# What else names a file or a folder; it has to be there.
NAMED_FILES = {
    "cohort": ["photos", "patients", "folder", "demo"],
    "generator": ["pretrained", "perception"],
    "projection": ["lpips", "identity"],
    "predict": ["bundle", "photos", "patients", "folder"],
}
# Networks that may be TorchScript, which is a program: its file must be the one that was meant.
NETWORKS = [("generator", "perception"), ("projection", "lpips")]
NETWORKS += [("projection", "identity")]


def violation(error):
    """What a config has against the schema, in one line: the key, what is wrong, what is allowed."""
    place = ".".join(map(str, error.absolute_path)) or "config"
    line = f"{place}: {error.message}"
    if error.validator == "additionalProperties":
        line += f"; there are {', '.join(error.schema['properties'])}"
    if error.validator == "required" and not os.path.isfile("config/config.yaml"):
        line += (
            "; what a config leaves out stands in config/config.yaml of the workflow's folder: "
            f"run Snakemake there, or with --directory {workflow.basedir}"
        )
    return line


def refuse_programs(files):
    """YTE runs the expressions of a config. Snakemake has done so when this is read, but goes no
    further."""
    for path in files:
        with open(path, encoding="utf-8") as file:
            if "__use_yte__" in file.read():
                raise WorkflowError(
                    f"{path}: __use_yte__ makes the config a program; write the values themselves"
                )


def plain(path):
    """A path without ~ at its start, or a slash at its end, of which Snakemake would complain."""
    return os.path.normpath(os.path.expanduser(path))


def without_places():
    """The settings without where files lie, which may name somebody: Snakemake's own report shows
    what the step of ours is given."""
    told = {name: value for name, value in config.items() if name not in PATHS}
    for section, names in NAMED_FILES.items():
        if section in told:
            given = {name: told[section].get(name) and "given" for name in names}
            told[section] = told[section] | given
    return told


def unnamed(path):
    """An input that Snakemake's own report does not show by its name."""
    return lambda wildcards: path


def network(section, name):
    """File and SHA-256 of a network that the config names; no digest where it holds numbers only."""
    value = config[section][name]
    found = value if isinstance(value, dict) else {"path": value, "sha256": None}
    if str(found["path"]).endswith(".pt") and not found["sha256"]:
        raise WorkflowError(
            f"{section}.{name}: {value} is TorchScript, a program that runs here: name it as "
            "{path: ..., sha256: ...}, with the digest that its publisher gives (sha256sum FILE "
            "shows the file's own)"
        )
    return found["path"], found["sha256"]


refuse_programs(workflow.configfiles)
try:
    validate(config, "../workflow/schemas/config.schema.yaml")
except WorkflowError as error:
    if not isinstance(error.__context__, ValidationError):
        raise
    raise WorkflowError(violation(error.__context__)) from None
for name in PATHS:
    config[name] = plain(config[name])
for section, names in NAMED_FILES.items():
    for name in names:
        value = config.get(section, {}).get(name)
        if isinstance(value, str):
            config[section][name] = plain(value)
        elif value:
            value["path"] = plain(value["path"])
FOUND = [network(*place) for place in NETWORKS]
PERCEPTION, LPIPS, IDENTITY = (path for path, _ in FOUND)
PINNED = {path: sha256 for path, sha256 in FOUND if sha256}
