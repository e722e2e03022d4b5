"""Errors that a user is meant to read."""

from collections.abc import Callable


class InputError(Exception):
    """Something the user gave cannot be used; the message names file, row and remedy."""


def run_all(*checks: Callable) -> list:
    """What each of several independent checks returns; if any fail, an InputError with all of
    their messages, one a line."""
    results, messages = [], []
    for check in checks:
        try:
            results.append(check())
        except InputError as error:
            messages.append(str(error))
    if messages:
        raise InputError("\n".join(messages))
    return results
