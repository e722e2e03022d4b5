"""Folds over patients, alike in deaths."""

import numpy as np
import pandas as pd

from facies.common.errors import InputError
from facies.statistics.outcome import Outcome


def assign_folds(outcome: Outcome, folds: int, seed) -> np.ndarray:
    """Fold 1..``folds`` of every patient, int (n,), at random, stratified by event.

    The folds differ by at most one in patients, in deaths and in those censored. They are not
    stratified by time: patients with neighbouring times, whom a risk can hardly put in order, would
    never meet in one fold, and C would come out too high. ``seed`` is an int or a list of ints.
    """
    rng = np.random.default_rng(seed)
    assigned = np.empty(len(outcome), int)
    by_event = np.lexsort((rng.permutation(len(outcome)), outcome.event))
    assigned[by_event] = np.resize(rng.permutation(folds) + 1, len(outcome))
    return assigned


def refuse_few(patients: pd.DataFrame, folds: int, inner_folds: int = 1) -> None:
    """Refuse patients who are too few for two in each fold, or too few deaths for one in each and,
    among those who train, in each of the ``inner_folds``: no fold would have a model."""
    deaths = folds
    while deaths - deaths // folds < inner_folds:
        deaths += 1
    for number, least, what in (
        (len(patients), 2 * folds, "patients"),
        (int(patients.event.sum()), deaths, "deaths"),
    ):
        if number < least:
            inner = least > folds and what == "deaths"
            raise InputError(
                f"{number} {what} are too few for {folds} folds"
                f"{f' of {inner_folds} inner folds' if inner else ''}, which need at least {least};"
                " only patients with a usable photo and outcome count: add some, or lower "
                f"survival.folds{' and survival.inner_folds' if inner else ''}"
            )


def repeated_folds(patients: pd.DataFrame, folds: int, repeats: int, seed: int) -> pd.DataFrame:
    """Table (patient_id, repeat, fold), both counted from 1, of patients with time and event.

    The order of the rows of ``patients`` does not matter. Raises InputError for too few patients.
    """
    refuse_few(patients, folds)
    patients = patients.sort_values("patient_id")
    outcome = Outcome.of(patients)
    tables = [
        pd.DataFrame(
            {
                "patient_id": patients.patient_id.to_numpy(),
                "repeat": repeat,
                "fold": assign_folds(outcome, folds, [seed, repeat]),
            }
        )
        for repeat in range(1, repeats + 1)
    ]
    return pd.concat(tables, ignore_index=True)
