"""Run the script of a rule: output goes to the log, and users' mistakes end it with a message."""

import errno
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from facies.common.errors import InputError
from facies.common.seals import is_broken, recipe, seal
from facies.common.store import file_digest

REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)
LEAST_SPACE = 2**20  # bytes; a disk with less is full


def run_job(main: Callable, job) -> None:
    """Call main(job) with output in the job's log; exit with a message if the user can fix it."""
    os.umask(0o077)  # results show patients: nobody else may read them
    try:
        message = _logged(main, job)
    except OSError as error:  # a full disk has no room for the log either
        if not (reason := disk_trouble(error, job.output)):
            raise
        message = f"{job.rule}: {reason}"
    if message:
        sys.exit(message)


def _logged(main, job) -> str:
    """The message for the user if the job failed, else ''; it is also in the log."""
    text = {"encoding": "utf-8", "errors": "backslashreplace"}  # a file may be called anything
    with (
        open(job.log[0], "w", buffering=1, **text) as log,
        redirect_stdout(log),
        redirect_stderr(log),
    ):
        try:
            refuse_broken(job.input)
            refuse_others(job.params.get("pinned", {}))
            made_by = recipe_of_job(main, job)
            main(job)
            for path in job.output:
                seal(path, made_by)
            return ""
        except InputError as error:
            message = f"{job.rule}: {error}"
        except Exception as error:
            if not (reason := disk_trouble(error, job.output)):
                traceback.print_exc()
                raise
            message = f"{job.rule}: {reason}"
        print(message)
    return message


def recipe_of_job(main: Callable, job) -> str:
    """The recipe of the job that runs ``main``; rules/fresh.smk computes the same."""
    script = Path(main.__globals__["__file__"]).resolve()
    folders = {name: job.config[name] for name in ("results", "store")}
    folders["workflow"] = str(script.parents[2])
    return recipe(script, dict(job.params.items()), list(job.input), folders)


def refuse_broken(inputs) -> None:
    """InputError for results of earlier jobs that were changed or damaged since."""
    if broken := [str(path) for path in inputs if is_broken(path)]:
        raise InputError(
            f"{', '.join(broken)}: not what the workflow wrote, but changed or damaged since; "
            "delete that, and run again"
        )


def refuse_others(pinned: dict[str, str]) -> None:
    """InputError for a file with another SHA-256 than the config gives."""
    for path, expected in pinned.items():
        if file_digest(path) != expected:
            raise InputError(
                f"{path}: not the file that the config means (another SHA-256); fetch it again "
                "from where it is published, or correct sha256 if you trust this one"
            )


def disk_trouble(error: Exception, outputs) -> str:
    """What is wrong with the disk, or ''. Libraries report a full disk in many ways, so the free
    space is measured."""
    if isinstance(error, OSError) and error.errno in REFUSED:
        return f"{error.filename} cannot be written ({error.strerror}); correct that, and run again"
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    folders = {folder for path in outputs if (folder := Path(path).parent).is_dir()}
    if full or any(shutil.disk_usage(folder).free < LEAST_SPACE for folder in folders):
        return "the disk is full; free some space, and run again: what is finished stays"
    return ""
