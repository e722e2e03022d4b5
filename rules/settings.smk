# The config is checked and its paths made plain, before any rule reads it.
import contextlib
import os
import sys

import yaml
from jsonschema import ValidationError
from jsonschema.exceptions import best_match
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
    # Of several forms that are allowed, the one that was meant.
    error = best_match([error])
    place = ".".join(map(str, error.absolute_path)) or "config"
    line = f"{place}: {error.message}"
    if error.validator == "anyOf":
        line = f"{place}: {'; or '.join(form.message for form in error.context)}"
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
    further. It also takes the last of two sections of one name, and leaves the first out.
    """
    for path in files:
        with open(path, encoding="utf-8") as file:
            text, twice = file.read(), ""
        if "__use_yte__" in text:
            raise WorkflowError(
                f"{path}: __use_yte__ makes the config a program; write the values themselves"
            )
        with contextlib.suppress(yaml.YAMLError):  # JSON with tabs
            twice = named_twice(yaml.compose(text))
        if twice:
            raise WorkflowError(f"{path}: {twice} stands twice; keep one of them")


def named_twice(node):
    """The first key of a YAML document that stands twice in one section, '' if there is none."""
    if not isinstance(node, yaml.MappingNode):
        return ""
    keys = [key.value for key, _ in node.value]
    twice = [str(key) for i, key in enumerate(keys) if key in keys[:i] and key != "<<"]
    below = (named_twice(value) for _, value in node.value)
    return twice[0] if twice else next(filter(None, below), "")


def plain(name, path):
    """A path without ~ at its start, or a slash at its end, of which Snakemake would complain."""
    found = os.path.normpath(os.path.expanduser(path))
    if set("{}") & set(found):
        raise WorkflowError(
            f"{name}: {path}: Snakemake takes braces for wildcards; rename it"
        )
    if found.startswith("~"):
        raise WorkflowError(f"{name}: {path}: no such user; correct the path")
    # Jobs write names in UTF-8, whatever the machine's language: it must look for the same.
    if not found.isascii() and sys.getfilesystemencoding() != "utf-8":
        raise WorkflowError(
            f"{name}: {found.encode('ascii', 'backslashreplace').decode()}: this machine's language "
            "does not write names in UTF-8; run Snakemake with PYTHONUTF8=1 before it"
        )
    return found


def folder_of_its_own(name, path):
    """Where results go: everything in it belongs to them."""
    if path == "." or os.path.exists(path) and not os.path.isdir(path):
        raise WorkflowError(f"{name}: {path}: not a folder of its own; name another")
    return path


def without_places():
    """The settings without where files lie, which may name somebody: Snakemake's own report shows
    what the step of ours is given."""
    settings = {name: value for name, value in config.items() if name not in PATHS}
    for section, names in NAMED_FILES.items():
        if section in settings:
            given = {name: settings[section].get(name) and "given" for name in names}
            settings[section] = settings[section] | given
    return settings


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


# Settings of earlier versions.
REPLACED = {
    "views": "controls, without full, such as controls: [face, background]",
    "scopes": "generator.per_fold, true for [cohort, fold]",
}

refuse_programs(workflow.configfiles)
for name in REPLACED.keys() & config:
    raise WorkflowError(f"{name}: this setting is now called {REPLACED[name]}")
try:
    validate(config, "../workflow/schemas/config.schema.yaml")
except WorkflowError as error:
    if not isinstance(error.__context__, ValidationError):
        raise
    raise WorkflowError(violation(error.__context__)) from None
for name in PATHS:
    config[name] = folder_of_its_own(name, plain(name, config[name]))
for section, names in NAMED_FILES.items():
    for name in names:
        value = config.get(section, {}).get(name)
        if isinstance(value, str):
            config[section][name] = plain(f"{section}.{name}", value)
        elif value:
            value["path"] = plain(f"{section}.{name}", value["path"])
FOUND = [network(*place) for place in NETWORKS]
PERCEPTION, LPIPS, IDENTITY = (path for path, _ in FOUND)
PINNED = {path: sha256 for path, sha256 in FOUND if sha256}
