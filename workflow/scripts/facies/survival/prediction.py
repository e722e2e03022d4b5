"""What a model of a split predicts: risks, and survival curves where it has its own.

A model has ``candidates(split, outcome, seed)``, dicts of hyperparameters to try, and
``predict(split, outcome, candidates, seed)``, what each of them predicts; ``extend`` offers more
candidates when the best lies on the grid's edge. All see the same centred, rotated columns
(designs.py). ``seed`` is a list of ints.

References
----------
Rindt et al., "Survival regression with proper scoring rules and monotonic neural networks",
AISTATS 2022: the likelihood of right-censored times is a proper score, whatever the censoring.
"""

from dataclasses import dataclass, replace

import numpy as np

from facies.statistics.kaplan_meier import kaplan_meier_at
from facies.statistics.outcome import Outcome
from facies.survival.designs import Split, load_design

INTERVALS = 10  # of the time grid, within which a death's own time does not count
LEAST = 1e-3  # probability that a model may give to what happened


@dataclass(frozen=True)
class CandidatePredictions:
    """Risks of c candidates for the m patients held out: ``held`` (c, m), the higher the worse.

    A Cox model's are log-risks, and ``train`` (c, n) has those of the training patients, whose
    mean is 0. Another model has ``survival`` (c, m, k), its own curves on ``time_grid`` of the
    training patients. With neither, risks are ranks alone. ``coefficients`` (c, r) are those of
    linear models.
    """

    held: np.ndarray
    train: np.ndarray | None = None
    survival: np.ndarray | None = None
    coefficients: np.ndarray | None = None

    @classmethod
    def linear(cls, split: Split, coefficients):
        held, train = coefficients @ split.x_held.T, coefficients @ split.x.T
        return cls(held, train, coefficients=coefficients)

    @classmethod
    def log_risks(cls, held, train):
        """Less the mean of the training patients', so that risks of different training sets share
        their zero."""
        mean = train.mean(axis=1, keepdims=True)
        return cls(held - mean, train - mean)

    @classmethod
    def curves(cls, survival, outcome: Outcome):
        """Risks are the share of the time until the horizon that is lost by death, beyond what the
        training patients lose: so risks of different training sets share their zero."""
        average = kaplan_meier_at(outcome, time_grid(outcome))
        return cls((average - survival).mean(-1), survival=survival)

    def per_patient(self, owner) -> "CandidatePredictions":
        """Means over the photos of each patient; ``owner`` int (photos,) numbers the patients."""
        order, counts = np.argsort(owner, kind="stable"), np.bincount(owner)
        first = np.cumsum(counts) - counts
        held = np.add.reduceat(self.held[:, order], first, axis=1) / counts
        survival = self.survival
        if survival is not None:
            survival = np.add.reduceat(survival[:, order], first, axis=1) / counts[:, None]
        return replace(self, held=held, survival=survival)


class Model:
    """A model without an edge to its grid, fitted to the designs that load_design makes."""

    load_design = staticmethod(load_design)

    def extend(self, candidates, best):
        return []


def longer(candidates, best: int, name: str, longest: int) -> list[dict]:
    """Candidates that train on where the best one has trained for the longest, by ``name``:
    in five steps to twice as long, as far as ``longest``."""
    chosen = candidates[best]
    last = max(c[name] for c in candidates if {**c, name: 0} == {**chosen, name: 0})
    if chosen[name] < last or last >= longest:
        return []
    return [{**chosen, name: last + step * last // 5} for step in range(1, 6)]


def time_grid(train: Outcome, steps=100) -> np.ndarray:
    """Rising times from 0 (left out) to the horizon: a tenth of the training patients were
    followed for longer, so that censoring weights stay bounded."""
    return np.linspace(0, np.quantile(train.time, 0.9), steps + 1)[1:]


def step_values(steps, values, times) -> np.ndarray:
    """Step functions at ``times``: 1 before the first of the rising ``steps`` (j,), from each of
    them on the value in ``values`` (m, j). Returns (m, len(times))."""
    return np.pad(values, ((0, 0), (1, 0)), constant_values=1.0)[
        :, np.searchsorted(steps, times, side="right")
    ]


def survival_likelihood(survival, outcome: Outcome, times) -> np.ndarray:
    """Log-likelihood (c,) of n patients' outcomes under curves ``survival`` (c, n, k) at ``times``.

    Who was censored counts by the probability of living until then, who died by that of dying in
    the same of ten intervals, and whoever outlived the horizon by that of doing so.
    """
    curve = np.pad(survival, ((0, 0), (0, 0), (1, 0)), constant_values=1.0)
    row, step = np.arange(len(outcome)), len(times) // INTERVALS
    start = np.searchsorted(times, outcome.time, side="left") // step * step
    lived = np.where(outcome.event, start, np.searchsorted(times, outcome.time, side="right"))
    died = outcome.event & (start < len(times))
    end = np.minimum(start + step, len(times))
    likelihood = curve[:, row, lived] - died * curve[:, row, end]
    return np.log(np.maximum(likelihood, LEAST)).sum(-1)


def leading(split: Split, axes: int | None = None):
    """The first ``axes`` columns of the training patients and of those held out, and the clinical
    columns of a joint design, which come last."""
    last = split.x.shape[1] - split.free
    kept = [*range(last)[:axes], *range(last, split.x.shape[1])]
    return split.x[:, kept], split.x_held[:, kept]


def scaled(split: Split, axes: int | None = None):
    """Leading columns divided by one number so that training rows have length one on average:
    their ratios say how much faces vary. Clinical columns of a joint design keep their unit."""
    x, held = leading(split, axes)
    scale = np.ones(x.shape[1])
    photo_columns = slice(x.shape[1] - split.free)
    scale[photo_columns] = np.sqrt((x[:, photo_columns] ** 2).sum(1).mean()) or 1.0
    return x / scale, held / scale


def state(seed) -> int:
    """One number for libraries that take no list."""
    return int(np.random.SeedSequence(seed).generate_state(1)[0])
