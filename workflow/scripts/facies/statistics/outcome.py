"""Follow-up times and events of patients, and their order in time."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Ties:
    """The k deaths that share their time with other deaths: ``position`` int (k,) in an outcome's
    ``order``, ``group`` int (k,) numbers their times, ``first`` int is where each of these begins
    among them, and ``share`` (k,) is 0, 1/m, ..., (m - 1)/m for m deaths at one time."""

    position: np.ndarray
    group: np.ndarray
    first: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, time, event):
        """For patients by falling time."""
        dead = np.flatnonzero(event)
        _, group, deaths = np.unique(-time[dead], return_inverse=True, return_counts=True)
        tied = deaths[group] > 1
        _, first, group, deaths = np.unique(
            group[tied], return_index=True, return_inverse=True, return_counts=True
        )
        share = (np.arange(len(group)) - first[group]) / deaths[group]
        return cls(dead[tied], group, first, share)


@dataclass(frozen=True)
class Outcome:
    """Follow-up of n patients: ``time`` float (n,) and ``event`` bool (n,), True for a death."""

    time: np.ndarray
    event: np.ndarray

    @classmethod
    def of(cls, patients):
        """The columns ``time`` and ``event`` (0/1) of a patients table."""
        return cls(patients.time.to_numpy(float), patients.event.to_numpy() == 1)

    def __getitem__(self, rows):
        return Outcome(self.time[rows], self.event[rows])

    def __len__(self):
        return len(self.time)

    def censored_at(self, end):
        """The same follow-up as if everybody had been observed up to ``end`` and no longer."""
        return Outcome(np.minimum(self.time, end), self.event & (self.time <= end))

    @cached_property
    def order(self):
        """Patients by falling time, so that every risk set is a leading block."""
        return np.argsort(-self.time, kind="stable")

    @cached_property
    def risk_set_end(self):
        """Last position (in ``order``) of each position's risk set: all who share its time."""
        falling = -self.time[self.order]
        return np.searchsorted(falling, falling, side="right") - 1

    @cached_property
    def risk_set_start(self):
        """First position (in ``order``) that shares each position's time."""
        falling = -self.time[self.order]
        return np.searchsorted(falling, falling, side="left")

    @cached_property
    def ties(self):
        return Ties.of(self.time[self.order], self.event[self.order])

    def risk_sums(self, values):
        """Sums of ``values`` (n, ...), in ``order``, over every death's risk set, less Efron's
        share of those who die at the same time."""
        sums = np.cumsum(values, axis=0)[self.risk_set_end]
        ties = self.ties
        if len(ties.position):
            dying = np.add.reduceat(values[ties.position], ties.first)[ties.group]
            sums[ties.position] -= ties.share.reshape(-1, *[1] * (dying.ndim - 1)) * dying
        return sums

    def sums_while_at_risk(self, values, power=1):
        """The transpose of ``risk_sums``: for each patient the sum of ``values`` (n,), 0 for who
        did not die, over the deaths in whose risk set the patient is, a part of a patient counted
        by its ``power``."""
        sums = np.cumsum(values[::-1])[::-1][self.risk_set_start]
        ties = self.ties
        if len(ties.position):
            gone = (1 - (1 - ties.share) ** power) * values[ties.position]
            sums[ties.position] -= np.add.reduceat(gone, ties.first)[ties.group]
        return sums

    def ranked(self, seed):
        """The same with ranks for times, ties in random order, deaths before the censored.

        For libraries that know Breslow's likelihood alone, or none for ties: Efron's approximates
        its mean over these orders.
        """
        chance = np.random.default_rng(seed).random(len(self))
        ranks = np.empty(len(self))
        ranks[np.lexsort((chance, ~self.event, self.time))] = np.arange(1, len(self) + 1)
        return Outcome(ranks, self.event)
