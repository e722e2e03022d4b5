"""Neural survival models of pycox: one small network on the leading principal axes each.

Weight decay and number of epochs are candidates like any other, so that early stopping is tuned
on inner folds and never sees a test patient.

References
----------
Katzman et al., "DeepSurv", BMC Med Res Methodol 18 (2018) 24.
Kvamme et al., "Time-to-event prediction with neural networks and Cox regression", JMLR 20 (2019)
129: CoxCC and CoxTime.
Lee et al., "DeepHit", AAAI 2018.
Kvamme and Borgan, "Continuous and discrete-time survival prediction with neural networks",
Lifetime Data Anal 27 (2021) 710-36: LogisticHazard, MTLR, PCHazard, intervals.
"""

import warnings
from itertools import groupby

import numpy as np

from facies.survival.prediction import (
    CandidatePredictions,
    Model,
    longer,
    scaled,
    state,
    step_values,
    time_grid,
)


class Network(Model):
    """What the networks share. Each kind defines how pycox's model and its targets are made
    (``build``), what is read of it (``read``) and what that is (``gather``)."""

    axes = 64
    decays = (0.3, 3.0)
    epochs = tuple(range(5, 55, 5))
    longest = 200
    members = 2
    hidden = 32
    batch = 1000  # patients at a step; most cohorts are one batch

    def candidates(self, split, outcome, seed):
        return [{"decay": d, "epochs": e} for d in self.decays for e in self.epochs]

    def extend(self, candidates, best):
        return longer(candidates, best, "epochs", self.longest)

    def predict(self, split, outcome, candidates, seed):
        # Contiguous copies of its own: torch takes no array that is read-only or reversed.
        x, held = (np.array(part, np.float32) for part in scaled(split, self.axes))
        read = []
        for decay, group in groupby(candidates, key=lambda c: c["decay"]):
            stops = [c["epochs"] for c in group]
            members = [
                self._train(x, held, outcome, decay, stops, state([*seed, m]))
                for m in range(self.members)
            ]
            read.append(np.mean(members, axis=0))
        return self.gather(np.concatenate(read), outcome)

    def _train(self, x, held, outcome, decay, stops, seed):
        """What is read of one network, (stops, ...), whenever it reaches a stop."""
        import torch

        # pycox draws controls from numpy's global generator.
        np.random.seed(seed)
        torch.manual_seed(seed)
        model, target = self.build(x.shape[1], outcome, decay)
        batch = min(len(x), self.batch)
        read, done = [], 0
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Using a non-tuple sequence")  # by torchtuples
            for stop in stops:
                model.fit(x, target, batch, stop - done, verbose=False, shuffle=batch < len(x))
                read.append(self.read(model, x, held, outcome))
                done = stop
        return np.array(read, float)

    def network(self, columns, outputs, bias=False):
        """One hidden layer; ``bias`` of the outputs or False for none."""
        import torch

        last = torch.nn.Linear(self.hidden, outputs, bias=bias is not False)
        if bias is not False:
            torch.nn.init.constant_(last.bias, bias)
        return torch.nn.Sequential(
            torch.nn.Linear(columns, self.hidden), torch.nn.ReLU(), torch.nn.Dropout(0.3), last
        )

    def optimiser(self, network, decay):
        """AdamW; biases of the outputs, the baseline hazard, learn fast and do not decay."""
        import torch

        baseline = [network[-1].bias] if network[-1].bias is not None else []
        others = [p for p in network.parameters() if all(p is not b for b in baseline)]
        groups = [{"params": others}]
        if baseline:
            groups.append({"params": baseline, "lr": 0.1, "weight_decay": 0.0})
        return torch.optim.AdamW(groups, 1e-2, weight_decay=decay)


class ProportionalHazards(Network):
    """Networks whose output is a log-risk. pycox takes tied times in any order, the censored before
    the dead as well, so that it is given their ranks (cox.py)."""

    def predict(self, split, outcome, candidates, seed):
        return super().predict(split, outcome.ranked(seed), candidates, seed)

    def target(self, outcome):
        return outcome.time.astype(np.float32), outcome.event.astype(np.float32)

    def read(self, model, x, held, outcome):
        return model.predict(np.concatenate([x, held]))[:, 0]

    def gather(self, read, outcome):
        return CandidatePredictions.log_risks(read[:, len(outcome) :], read[:, : len(outcome)])


class DeepSurv(ProportionalHazards):
    """Cox's partial likelihood of all training patients at each step."""

    def build(self, columns, outcome, decay):
        from pycox.models import CoxPH

        network = self.network(columns, 1)
        return CoxPH(network, self.optimiser(network, decay)), self.target(outcome)


class CoxCC(ProportionalHazards):
    """As DeepSurv, with each death against one living patient, sampled at each step."""

    def build(self, columns, outcome, decay):
        from pycox.models import CoxCC

        network = self.network(columns, 1)
        return CoxCC(network, self.optimiser(network, decay)), self.target(outcome)


class Curves(Network):
    """Networks with survival curves of their own."""

    def gather(self, read, outcome):
        return CandidatePredictions.curves(read, outcome)


class CoxTime(Curves):
    """As CoxCC, with the time as one more input: hazards need not be proportional."""

    epochs = tuple(range(10, 60, 10))

    def build(self, columns, outcome, decay):
        import torch
        from pycox.models import CoxTime

        class WithTime(torch.nn.Sequential):
            def forward(self, x, time):
                return super().forward(torch.cat([x, time], dim=1))

        network = WithTime(*self.network(columns + 1, 1))
        labels = CoxTime.label_transform()
        target = labels.fit_transform(np.array(outcome.time), outcome.event)
        return CoxTime(network, self.optimiser(network, decay), labtrans=labels), target

    def read(self, model, x, held, outcome):
        """As pycox's baseline hazard and curves, without a data loader for every time of death, and
        with Efron's ties."""
        death_times, deaths = np.unique(outcome.time[outcome.event], return_counts=True)
        dead = outcome.event[:, None] & (outcome.time[:, None] == death_times)
        scale = model.labtrans.transform(death_times, np.ones(len(death_times)))[0]
        relative = np.exp(self._log_risks(model, np.concatenate([x, held]), scale))
        there = outcome.time[:, None] >= death_times
        total, dying = ((relative[: len(x)] * part).sum(0) for part in (there, dead))
        share = np.arange(deaths.max())[:, None] / deaths  # Efron's ties, as in cox.py
        left = total - share * dying
        hazard = np.divide(1.0, left, out=np.zeros(left.shape), where=share < 1).sum(0)
        survival = np.exp(-np.cumsum(relative[len(x) :] * hazard, axis=1))
        return step_values(death_times, survival, time_grid(outcome))

    @staticmethod
    def _log_risks(model, x, times):
        """Log-risks (n, len(times)) of every patient at every time."""
        import torch

        model.net.eval()
        x = torch.from_numpy(x)
        with torch.no_grad():
            columns = [model.net(x, torch.full((len(x), 1), float(time))) for time in times]
        return torch.cat(columns, dim=1).numpy().astype(float)


class DiscreteTime(Curves):
    """Networks with an output for each of ten intervals between quantiles of the times of death.

    Intervals of equal length serve skewed times badly. Between their ends, survival is interpolated
    linearly (PCHazard: on tenths of the intervals), as pycox's ``interpolate`` does.
    """

    intervals = 10
    settings = {}

    def build(self, columns, outcome, decay):
        from pycox import models

        kind = getattr(models, self.kind)
        labels = kind.label_transform(self.intervals, scheme="quantiles")
        with warnings.catch_warnings():
            # Few deaths give fewer intervals, a time of zero gives no information: both are fine.
            warnings.simplefilter("ignore")
            target = labels.fit_transform(np.array(outcome.time), np.array(outcome.event, float))
        network = self.network(columns, labels.out_features, self.baseline)
        optimiser = self.optimiser(network, decay)
        model = kind(network, optimiser, duration_index=labels.cuts, **self.settings)
        return model, target

    def read(self, model, x, held, outcome):
        curves, times = model.predict_surv_df(held), time_grid(outcome)
        ends = np.concatenate([[0.0], curves.index])
        return [np.interp(times, ends, [1.0, *curve]) for curve in curves.to_numpy().T]


class LogisticHazard(DiscreteTime):
    """Hazards of the intervals, by maximum likelihood."""

    kind, baseline = "LogisticHazard", -2.0


class MTLR(DiscreteTime):
    """Probabilities of dying in the intervals, each tied to the one before."""

    kind, baseline = "MTLR", 0.0


class DeepHit(DiscreteTime):
    """Probabilities of dying in the intervals, by likelihood and ranks."""

    kind, baseline = "DeepHitSingle", 0.0
    settings = {"alpha": 0.2, "sigma": 0.1}


class PCHazard(DiscreteTime):
    """Hazards that are constant within the intervals."""

    kind, baseline = "PCHazard", -2.0
    settings = {"sub": 10}
