import ast
import hashlib
import time
from functools import cache

# Beside this file, also where another workflow takes this one in as a module.
HERE = workflow.current_basedir.get_path_or_uri(secret_free=False)
SCRIPTS = os.path.normpath(os.path.join(HERE, "../workflow/scripts"))
sys.path.append(SCRIPTS)

from facies.bundle.locked import read_card
from facies.cohort.spreadsheets import read_sheet
from facies.common.errors import InputError
from facies.common.jobs import refuse_others
from facies.common.seals import recipe, recipe_of, seal
from facies.common.store import digest, file_digest, shard_of
from facies.photos.paths import photo_file
from facies.survival.features import FIT, SINGLE, feature_sets

IDS = ["photo_id", "patient_id", "path"]
SHARDS = range(config["cohort"]["shards"])
DETECTOR = expand(
    "resources/detector/{model}.tflite",
    model=["face_detection_short_range", "face_landmark", "selfie_segmentation"],
)


FOLD_NUMBERS = range(1, config["survival"]["folds"] + 1)
REPEATS = range(1, config["survival"]["repeats"] + 1)
# The generator tuned on all photos and, to measure the information leakage through it, one for each
# fold of the first repeat, tuned without the fold's test patients.
GENERATORS = ["cohort"]
if config["generator"]["per_fold"]:
    GENERATORS += [f"fold-{fold}" for fold in FOLD_NUMBERS]
# What the rule all asks for; each file of rules adds its own. Not the report alone, because a failed
# job leaves its file missing, and Snakemake makes a missing file only where a target requires it.
KEPT = []


wildcard_constraints:
    shard=r"\d+",
    part=r"\d+",
    view="[a-z_]+",
    generator=r"cohort|fold-\d+",


def by_attempt(amount):
    """A resource (MB or minutes) that grows when a job was killed for exceeding it."""
    return lambda wildcards, attempt: amount * attempt


def by_input_size(least, per_mb):
    """Memory in MB of a job that reads the whole cohort: ``per_mb`` for each MB of its input files.
    Jobs that tune penalties work on every inner fold at once: 11 GB where 15,000 patients have
    527 MB of codes."""
    return (
        lambda wildcards, input, attempt: max(least, per_mb * input.size_mb) * attempt
    )


def refuse_future(folder, tolerance=60):
    """A result from the future hides that it is older than what it is made from."""
    for place, _, names in os.walk(folder):
        for path in (os.path.join(place, name) for name in names):
            if os.lstat(path).st_mtime > time.time() + tolerance:
                raise WorkflowError(
                    f"{path} is from the future: a clock was wrong, then or now. Set this "
                    f"machine's clock; if it is right, delete {folder} and run again: the work "
                    "on photos comes back from the store"
                )


if workflow.is_main_process:
    refuse_future(config["results"])


def code_digest(*modules):
    """Digest of library modules, named "room.module", and of what they import from the library.

    Comments and docstrings do not count. Keys of the store name the modules that decide what lies
    there; a change in the rest of a script's imports does not invalidate stored work.
    """
    found, queue = {}, list(modules)
    while queue:
        name = queue.pop()
        if name not in found:
            path = os.path.join(SCRIPTS, "facies", *name.split(".")) + ".py"
            found[name], imports = _read_module(path)
            queue.extend(imports)
    return digest(sorted(found.items()))[:16]


def imported_by(script):
    """Digest of all modules of the library behind a script, which Snakemake does not see."""
    return code_digest(*_read_module(script)[1])


@cache
def _read_module(path):
    """Digest of a Python file, and the names of the library's modules that it imports."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    imports = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("facies."):
            room, _, module = node.module.removeprefix("facies.").partition(".")
            modules = [module] if module else [alias.name for alias in node.names]
            imports += [f"{room}.{module}" for module in modules]
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            node.body = body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imports


def _is_docstring(node):
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@cache
def contents(*paths):
    """Digest of a user's files: Snakemake goes by time, and misses one replaced by an older one."""
    return digest(
        [file_digest(path) if os.path.isfile(path) else None for path in paths]
    )[:16]


# What decides what becomes of a photo, beside the settings and the detector's files.
ALIGNED_BY = digest(
    [
        code_digest("photos.alignment", "photos.images"),
        contents(os.path.join(HERE, "../resources/visibility.npz")),
    ]
)[:16]


def fingerprint(wildcards):
    """State of a shard's photos: its job runs again when one of them changed, came or went."""
    cohort = config["cohort"]
    return fingerprints(
        cohort["photos"],
        cohort["folder"],
        len(SHARDS),
        cohort["demo"],
        tuple(cohort["nuisance"]),
    )[int(wildcards.shard)]


@cache
def fingerprints(sheet, folder, shards, demo=None, names=()):
    """One scan for all shards, because photos as `input:` would be examined again and again.
    Columns that the config ``names`` must be in the sheet."""
    rows = [[] for _ in range(shards)]
    state_of = _rendered_states(demo) if demo else _file_states(folder)
    try:
        photos = read_sheet(sheet, [*IDS, *names])[IDS]
    except InputError as error:
        raise WorkflowError(str(error)) from None
    for row in photos.itertuples(index=False):
        rows[shard_of(row.photo_id, shards)].append([*row, *state_of(row)])
    return [digest(sorted(shard))[:16] for shard in rows]


def _file_states(folder):
    """Size and time of the file of each row."""

    def state_of(row):
        try:
            state = os.stat(str(photo_file(folder, row.path)).encode())
            return str(state.st_size), str(state.st_mtime_ns)
        except OSError:
            return ("absent",)

    return state_of


def _rendered_states(demo):
    """A rendered photo is what its row of parameters says, also before it is rendered."""
    with open(f"{demo}/portraits.csv", encoding="utf-8") as file:
        lines = {line.partition(",")[0]: line for line in file}
    return lambda row: (lines.get(row.photo_id, "absent"),)


def fits_of(features, model, **others):
    """The fits of some features and models: of full photos in all repeats and folds, by the
    generator of all photos, unless ``others`` name other values of these wildcards."""
    usual = {
        "generator": "cohort",
        "view": "full",
        "repeat": REPEATS,
        "fold": FOLD_NUMBERS,
    }
    return expand(FITS, features=features, model=model, **(usual | others))


def features_of(wildcards):
    """The files of a fit's features."""
    return [f"<results>/{path}" for path in FEATURE_SETS[wildcards.features].inputs]


def bundled_models(wildcards):
    """The refitted models, or why there is none."""
    if LINEAR is None:
        raise WorkflowError(
            "only linear models can be bundled: add coxph or coxnet to survival.models"
        )
    if any(NAMED.values()):
        raise WorkflowError(
            "a bundle does not hold the networks named in projection.lpips and .identity, on which "
            "its codes would depend: bundle a run without them"
        )
    return expand(REFIT, features=BUNDLED)
