"""Loops that numpy cannot express, compiled by numba at their first call."""

from collections.abc import Callable

from numba import njit


def compiled(function: Callable) -> Callable:
    """``function`` as machine code, kept for the next process.

    numba keeps it beside the module, else in the user's cache folder, else where NUMBA_CACHE_DIR
    says. Where none can be written (a read-only installation under an account without a home)
    every process compiles anew, which takes a second or two.
    """
    try:
        return njit(cache=True)(function)
    except RuntimeError:  # no place for the cache
        return njit(function)
