import ast
import hashlib
import os
import sys
from functools import cache

SCRIPTS = os.path.join(workflow.basedir, "workflow", "scripts")
sys.path.append(SCRIPTS)

from facies.cohort import read_sheet
from facies.store import digest, shard_of

os.umask(0o077)  # results show patients: nobody else may read them

SHARDS = range(config["cohort"]["shards"])
DETECTOR_FOLDER = "resources/detector"
DETECTOR = expand(
    f"{DETECTOR_FOLDER}/{{model}}.tflite",
    model=["face_detection_short_range", "face_landmark", "selfie_segmentation"],
)


wildcard_constraints:
    shard=r"\d+",
    part=r"\d+",
    view="full",
    scope="cohort",


def code_digest(*modules):
    """Digest of library modules without comments and docstrings, for `params: code=`.

    Snakemake sees a changed script, but not a changed module behind it.
    """
    return digest(*map(_module_digest, modules))[:16]


@cache
def _module_digest(module):
    with open(os.path.join(SCRIPTS, "facies", f"{module}.py")) as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            node.body = body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_docstring(node):
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def fingerprint(wildcards):
    """State of a shard's photos: its job runs again when one of them changed, came or went."""
    return _fingerprints()[int(wildcards.shard)]


@cache
def _fingerprints():
    """One scan for all shards, because photos as `input:` would be examined again and again."""
    rows = [[] for _ in SHARDS]
    state_of = _rendered_states() if config["cohort"]["demo"] else _file_state
    photos = read_sheet(config["cohort"]["photos"], ["photo_id", "patient_id", "path"])
    for row in photos.itertuples(index=False):
        rows[shard_of(row.photo_id, len(SHARDS))].append([*row, *state_of(row)])
    return [digest(sorted(shard))[:16] for shard in rows]


def _file_state(row):
    try:
        state = os.stat(os.path.join(config["cohort"]["folder"], row.path))
        return str(state.st_size), str(state.st_mtime_ns)
    except OSError:
        return ("absent",)


def _rendered_states():
    """A rendered photo is what its row of parameters says, also before it is rendered."""
    with open(f"{config['cohort']['demo']}/portraits.csv") as file:
        lines = {line.partition(",")[0]: line for line in file}
    return lambda row: (lines.get(row.photo_id, "absent"),)
