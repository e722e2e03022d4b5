"""Run a rule's script: its words go to the log, and a user's mistake ends in one line."""

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

from facies.errors import InputError


def run_job(main: Callable, job) -> None:
    """Call main(job) with output in the job's log; InputError is told without a traceback."""
    os.umask(0o077)  # results show patients: nobody else may read them
    with open(job.log[0], "w", buffering=1) as log, redirect_stdout(log), redirect_stderr(log):
        try:
            main(job)
            return
        except InputError as error:
            message = f"{job.rule}: {error}"
            print(message)
        except Exception:
            traceback.print_exc()
            raise
    sys.exit(message)
