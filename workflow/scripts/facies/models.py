"""Survival models behind one interface: a grid of candidates and the log-risks of each.

A model has ``candidates(split, outcome, seed)``, dicts of hyperparameters to try, and
``path(split, outcome, candidates, seed)``, their log-risks; ``extend`` offers more candidates
when the best lies on the grid's edge. All see the same centred, rotated columns (features.py).
"""

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from facies.cox import ridge_path
from facies.features import Split


@dataclass(frozen=True)
class Path:
    """Log-risks of c candidates: ``train`` (c, n), ``held`` (c, m); ``coefficients`` (c, r) of
    linear models, else None."""

    train: np.ndarray
    held: np.ndarray
    coefficients: np.ndarray | None = None

    @classmethod
    def linear(cls, split: Split, coefficients):
        return cls(coefficients @ split.x.T, coefficients @ split.x_held.T, coefficients)


class RidgeCox:
    """Cox regression with a ridge penalty, in units of the columns' largest eigenvalue."""

    steps = 10.0 ** np.arange(0.5, -4.1, -0.3)
    widest = (1e2, 1e-6)

    def candidates(self, split, outcome, seed):
        largest = np.linalg.norm(split.x, 2) ** 2
        return [{"penalty": float(largest * step), "unit": float(largest)} for step in self.steps]

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

    def path(self, split, outcome, candidates, seed):
        return Path.linear(split, ridge_path(split.x, outcome, [c["penalty"] for c in candidates]))


class ElasticNetCox:
    """scikit-survival's Coxnet on the principal axes.

    On raw W+ columns, which share few directions among many, coordinate descent crawls and the
    lasso picks arbitrary twins; on the axes it is quick and picks modes of variation.
    """

    l1_ratios = (0.1, 0.5, 0.9)
    settings = {"n_alphas": 30, "alpha_min_ratio": 0.02}

    def _fit(self, split, outcome, l1_ratio, **settings):
        from sksurv.linear_model import CoxnetSurvivalAnalysis
        from sksurv.util import Surv

        net = CoxnetSurvivalAnalysis(l1_ratio=l1_ratio, **settings)
        return net.fit(split.x, Surv.from_arrays(outcome.event, outcome.time))

    def candidates(self, split, outcome, seed):
        return [
            {"l1_ratio": ratio, "alpha": float(alpha)}
            for ratio in self.l1_ratios
            for alpha in self._fit(split, outcome, ratio, **self.settings).alphas_
        ]

    def extend(self, candidates, best):
        return []

    def path(self, split, outcome, candidates, seed):
        rows = []
        for ratio, group in groupby(candidates, key=lambda c: c["l1_ratio"]):
            alphas = [c["alpha"] for c in group]
            found = self._fit(split, outcome, ratio, alphas=alphas).coef_.T
            # The path ends early where smaller penalties change nothing.
            rows.append(np.pad(found, ((0, len(alphas) - len(found)), (0, 0)), mode="edge"))
        return Path.linear(split, np.concatenate(rows))


class DeepSurv:
    """pycox's CoxPH with a small network on the leading principal axes.

    Weight decay and number of epochs are candidates like any other, so that early stopping is
    tuned on inner folds and never sees a test patient.
    """

    axes = 64
    decays = (0.3, 3.0)
    epochs = tuple(range(5, 55, 5))
    members = 2

    def candidates(self, split, outcome, seed):
        return [{"decay": d, "epochs": e} for d in self.decays for e in self.epochs]

    def extend(self, candidates, best):
        return []

    def path(self, split, outcome, candidates, seed):
        # One scale for all columns keeps their ratios, which say how much faces vary.
        scale = np.sqrt((split.x[:, : self.axes] ** 2).sum(1).mean())
        x = (split.x[:, : self.axes] / scale).astype(np.float32)
        held = (split.x_held[:, : self.axes] / scale).astype(np.float32)
        train_risks, held_risks = [], []
        for decay, group in groupby(candidates, key=lambda c: c["decay"]):
            stops = [c["epochs"] for c in group]
            risks = np.mean(
                [
                    self._train(x, held, outcome, decay, stops, [*seed, m])
                    for m in range(self.members)
                ],
                axis=0,
            )
            train_risks.append(risks[:, : len(x)])
            held_risks.append(risks[:, len(x) :])
        return Path(np.concatenate(train_risks), np.concatenate(held_risks))

    def _train(self, x, held, outcome, decay, stops, seed):
        """Log-risks (stops, n + m) of one network, read whenever it reaches a stop."""
        import torch
        from pycox.models import CoxPH

        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        network = torch.nn.Sequential(
            torch.nn.Linear(x.shape[1], 32),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.3),
            torch.nn.Linear(32, 1, bias=False),
        )
        model = CoxPH(network, torch.optim.AdamW(network.parameters(), 1e-2, weight_decay=decay))
        target = (outcome.time.astype(np.float32), outcome.event.astype(np.float32))
        everyone = np.concatenate([x, held])
        risks, done = [], 0
        for stop in stops:
            model.fit(x, target, len(x), stop - done, verbose=False, shuffle=False)
            risks.append(model.predict(everyone)[:, 0].astype(float))
            done = stop
        return np.array(risks)


MODELS = {"coxph": RidgeCox(), "coxnet": ElasticNetCox(), "deepsurv": DeepSurv()}
