import ast
import hashlib
import os
import sys
from functools import cache

SCRIPTS = os.path.join(workflow.basedir, "workflow", "scripts")
sys.path.append(SCRIPTS)

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
    demo = config["cohort"]["demo"]
    if demo:
        # A rendered photo is what its row says, also before it is rendered.
        for line in open(f"{demo}/portraits.csv").read().splitlines()[1:]:
            rows[shard_of(line.split(",")[0], len(SHARDS))].append(line)
    else:
        photos = read_sheet(config["cohort"]["photos"])
        for photo_id, path in zip(photos["photo_id"], photos["path"]):
            state = _file_state(os.path.join(config["cohort"]["folder"], path))
            rows[shard_of(photo_id, len(SHARDS))].append([photo_id, path, *state])
    return [digest(sorted(shard))[:16] for shard in rows]


def _file_state(path):
    try:
        state = os.stat(path)
        return state.st_size, state.st_mtime_ns
    except OSError:
        return ("absent",)
