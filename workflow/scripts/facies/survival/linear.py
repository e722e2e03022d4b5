"""Linear survival models: ridge Cox, elastic net Cox, and a support vector machine for ranks."""

import warnings
from itertools import groupby

import numpy as np
from scipy.linalg import eigvalsh
from sklearn.exceptions import ConvergenceWarning

from facies.survival.cox import baseline_hazard, fit_ridge, ridge_path
from facies.survival.prediction import CandidatePredictions, Model, scaled, state


class RidgeCox(Model):
    """Cox regression with a ridge penalty, in units of the columns' largest eigenvalue.

    Clinical columns of a joint design go without, but for the ``least`` that bounds a perfect
    order, or as many tens of it as let the fit be computed.
    """

    steps = 10.0 ** np.arange(0.5, -4.1, -0.3)
    widest = (1e2, 1e-6)
    least, most = 1e-3, 1e6

    def candidates(self, split, outcome, seed):
        largest = largest_eigenvalue(split.x[:, self._penalised(split)])
        return [{"penalty": largest * step, "unit": largest} for step in self.steps.tolist()]

    def extend(self, candidates, best):
        """Five more steps beyond the edge at which the best lies, until the grid is widest."""
        penalties = sorted((c["penalty"] for c in candidates), reverse=True)
        unit, chosen = candidates[0]["unit"], candidates[best]["penalty"]
        ratio = self.steps[1] / self.steps[0]
        if chosen == penalties[0] and chosen < unit * self.widest[0]:
            factors = ratio ** -np.arange(5.0, 0, -1)
        elif chosen == penalties[-1] and chosen > unit * self.widest[1]:
            factors = ratio ** np.arange(1.0, 6)
        else:
            return []
        return [{"penalty": float(chosen * factor), "unit": unit} for factor in factors]

    def predict(self, split, outcome, candidates, seed):
        penalised = self._penalised(split)
        coefficients = self.bounded(
            lambda least: ridge_path(
                split.x, outcome, [np.where(penalised, c["penalty"], least) for c in candidates]
            )
        )
        return CandidatePredictions.linear(split, coefficients)

    @classmethod
    def bounded(cls, fit):
        """``fit`` of the least penalty of clinical columns under which it can be computed."""
        least = cls.least
        while True:
            try:
                return fit(least)
            except ArithmeticError:
                if least > cls.most:
                    raise
                least *= 10

    @staticmethod
    def _penalised(split):
        return np.arange(split.x.shape[1]) < split.x.shape[1] - split.free


def largest_eigenvalue(x) -> float:
    """Of the columns' products alone: all of them would take longer than the fits."""
    products = x @ x.T if x.shape[1] > x.shape[0] else x.T @ x
    last = len(products) - 1
    return float(eigvalsh(products, subset_by_index=(last, last))[0])


class ElasticNetCox(Model):
    """scikit-survival's Coxnet on the principal axes.

    On raw W+ columns, which share few directions among many, coordinate descent crawls and the
    lasso picks arbitrary twins; on the axes it is quick and picks modes of variation. A share of
    the lasso of .01 is ridge but for the least informative axes: where many modes matter a little,
    it must be among the candidates. The library knows Breslow's likelihood alone, so that it is
    given ranks of the times (cox.py).
    """

    l1_ratios = (0.01, 0.1, 0.5, 0.9)
    steps = np.logspace(0, -2.3, 20)  # of the penalty, from that under which all is zero
    # Coxnet ends a path at its sixth penalty or later, once the deviance seems to stand still. Five
    # penalties at a time are never cut.
    block = 5

    def candidates(self, split, outcome, seed):
        largest = self._start(split, outcome.ranked(seed))[1]
        return [
            {"l1_ratio": ratio, "alpha": float(largest / ratio * step)}
            for ratio in self.l1_ratios
            for step in self.steps
        ]

    def predict(self, split, outcome, candidates, seed):
        rows, outcome = [], outcome.ranked(seed)
        start, largest = self._start(split, outcome)
        for ratio, group in groupby(candidates, key=lambda c: c["l1_ratio"]):
            alphas, least = np.array([c["alpha"] for c in group]), 0.0
            for first in range(0, len(alphas), self.block):
                block = alphas[first : first + self.block]
                bounds = least, largest / ratio
                beta, least = self._block(split, outcome, ratio, block, *bounds)
                rows.append(np.tile(start, (len(block), 1)) if beta is None else beta)
        return CandidatePredictions.linear(split, np.concatenate(rows))

    @staticmethod
    def _start(split, outcome):
        """Coefficients (r,) under which all penalised columns are 0, and the lasso's least penalty
        that keeps them there: the largest slope of the mean log-likelihood. Ridge's least
        penalty bounds the coefficients of clinical columns that separate dead and living."""
        unpenalised = np.arange(split.x.shape[1]) >= split.x.shape[1] - split.free
        start = np.zeros(len(unpenalised))
        free = split.x[:, unpenalised]
        start[unpenalised] = RidgeCox.bounded(lambda least: fit_ridge(free, outcome, least))
        risk = split.x @ start
        times, hazard = baseline_hazard(risk, outcome)
        reached = np.concatenate([[0.0], hazard])[np.searchsorted(times, outcome.time, "right")]
        residuals = outcome.event - np.exp(risk) * reached
        slopes = split.x[:, ~unpenalised].T @ residuals / len(outcome)
        return start, max(float(np.abs(slopes).max()), 1e-9)

    def _block(self, split, outcome, l1_ratio, alphas, least, largest):
        """Coefficients (len(alphas), r), and the least penalty that could be computed: it stands in
        for smaller ones, under which the training patients' order is all but perfect. None where
        clinical columns alone have that order, so that not even ``largest`` can be computed."""
        while least < 2 * largest:
            try:
                alphas = np.maximum(alphas, least)
                return self._fit(split, outcome, l1_ratio, alphas=alphas).coef_.T, least
            # The net asserts that its coefficients are finite.
            except (ArithmeticError, AssertionError, ConvergenceWarning):
                least = 1.5 * alphas[-1]
        return None, least

    def _fit(self, split, outcome, l1_ratio, **settings):
        from sksurv.linear_model import CoxnetSurvivalAnalysis
        from sksurv.util import Surv

        factor = np.ones(split.x.shape[1])
        factor[split.x.shape[1] - split.free :] = 0.0
        net = CoxnetSurvivalAnalysis(
            l1_ratio=l1_ratio, penalty_factor=factor, max_iter=1000, **settings
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "all coefficients are zero")
            warnings.filterwarnings("error", category=ConvergenceWarning)
            return net.fit(split.x, Surv.from_arrays(outcome.event, outcome.time))


class SurvivalSVM(Model):
    """scikit-survival's linear survival support vector machine, which learns whom to rank higher.

    ``weight`` of what is out of order is shared among all pairs. Ranks have no likelihood:
    candidates are judged by C, and curves come from a Cox model of the score (crossval.py).

    References
    ----------
    Pölsterl et al., "Fast training of support vector machines for survival analysis", ECML PKDD
    2015.
    """

    weights = (0.1, 1.0, 10.0, 100.0, 1000.0)

    def candidates(self, split, outcome, seed):
        return [{"weight": weight} for weight in self.weights]

    def predict(self, split, outcome, candidates, seed):
        from sksurv.svm import FastSurvivalSVM
        from sksurv.util import Surv

        x, held = scaled(split)
        target = Surv.from_arrays(outcome.event, np.maximum(outcome.time, 1e-9))
        pairs = outcome.event.sum() * len(outcome) / 2
        rows = []
        for candidate in candidates:
            machine = FastSurvivalSVM(
                alpha=candidate["weight"] / pairs,
                max_iter=100,
                optimizer="avltree",
                random_state=state(seed),
            )
            with warnings.catch_warnings():
                # Near the optimum no step can be seen to gain in floating point: that is an answer.
                warnings.filterwarnings("ignore", ".*due to precision loss", ConvergenceWarning)
                rows.append(machine.fit(x, target).predict(held))
        return CandidatePredictions(np.array(rows))
