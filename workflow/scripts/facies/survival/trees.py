"""Tree ensembles of scikit-survival on the leading principal axes."""

from itertools import groupby

import numpy as np

from facies.statistics.kaplan_meier import kaplan_meier_at
from facies.survival.prediction import (
    CandidatePredictions,
    Model,
    leading,
    longer,
    state,
    step_values,
    time_grid,
)

AXES = 64  # a tree that must choose among hundreds of axes without meaning chooses one of them


class Forest(Model):
    """Random survival forest; risk is its expected number of deaths, curves are its own.

    References
    ----------
    Ishwaran et al., "Random survival forests", Ann Appl Stat 2 (2008) 841-60.
    """

    trees = 100
    leaves = (5, 15, 30)

    def candidates(self, split, outcome, seed):
        return [{"leaf": leaf} for leaf in self.leaves]

    def predict(self, split, outcome, candidates, seed):
        x, held = leading(split, AXES)
        times, risks, curves = time_grid(outcome), [], []
        if np.ptp(outcome.time) == 0:  # the library cannot have one time for all
            alike = np.tile(kaplan_meier_at(outcome, times), (len(candidates), len(held), 1))
            return CandidatePredictions(alike[..., 0], survival=alike)
        for candidate in candidates:
            forest = self.grow(x, outcome, candidate["leaf"], state(seed))
            risks.append(forest.predict(held))
            survival = forest.predict_survival_function(held, return_array=True)
            curves.append(step_values(forest.unique_times_, survival, times))
        return CandidatePredictions(np.array(risks), survival=np.array(curves))

    def grow(self, x, outcome, leaf, random_state):
        """The forest with at least ``leaf`` patients in every leaf."""
        from sksurv.ensemble import RandomSurvivalForest
        from sksurv.util import Surv

        forest = RandomSurvivalForest(
            self.trees, min_samples_leaf=leaf, min_samples_split=2, random_state=random_state
        )
        return forest.fit(x, Surv.from_arrays(outcome.event, outcome.time))


class Boosting(Model):
    """Gradient boosting of Cox's partial likelihood with small trees.

    Its risks are log-risks. The library knows Breslow's likelihood alone, so that it is given ranks
    of the times (cox.py). Number of stages and depth are candidates.

    References
    ----------
    Ridgeway, "The state of boosting", Computing Science and Statistics 31 (1999) 172-81.
    """

    depths = (1, 3)
    stages = tuple(range(10, 101, 10))
    longest = 400
    settings = {"learning_rate": 0.2, "subsample": 0.5, "min_samples_leaf": 10}

    def candidates(self, split, outcome, seed):
        return [{"depth": d, "stages": s} for d in self.depths for s in self.stages]

    def extend(self, candidates, best):
        return longer(candidates, best, "stages", self.longest)

    def predict(self, split, outcome, candidates, seed):
        x, held = leading(split, AXES)
        train_risks, held_risks = [], []
        for depth, group in groupby(candidates, key=lambda c: c["depth"]):
            stages = [c["stages"] - 1 for c in group]
            ensemble = self.grow(x, outcome.ranked(seed), depth, stages[-1] + 1, state(seed))
            for risks, rows in ((train_risks, x), (held_risks, held)):
                risks.extend(np.array(list(ensemble.staged_predict(rows)))[stages])
        return CandidatePredictions.log_risks(np.array(held_risks), np.array(train_risks))

    def grow(self, x, outcome, depth, stages, random_state):
        """The ensemble of ``stages`` trees of at most ``depth`` splits in a row."""
        from sksurv.ensemble import GradientBoostingSurvivalAnalysis
        from sksurv.util import Surv

        ensemble = GradientBoostingSurvivalAnalysis(
            n_estimators=stages, max_depth=depth, random_state=random_state, **self.settings
        )
        return ensemble.fit(x, Surv.from_arrays(outcome.event, outcome.time))
