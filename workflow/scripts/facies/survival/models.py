"""The survival models by the names that the config gives them; prediction.py describes a model.

They differ in what they predict, and so is how their candidates are judged (crossval.py):
log-risks of a Cox model (``coxph``, ``coxnet``, ``boosting``, ``deepsurv``, ``coxcc``, ``cnn``),
curves of their own (``forest``, ``coxtime``, ``deephit``, ``logistichazard``, ``mtlr``,
``pchazard``, ``kaplanmeier``) or ranks alone (``svm``).
"""

import numpy as np

from facies.statistics.kaplan_meier import kaplan_meier_at
from facies.survival.convolution import ConvolutionalCox
from facies.survival.linear import ElasticNetCox, RidgeCox, SurvivalSVM
from facies.survival.neural import MTLR, CoxCC, CoxTime, DeepHit, DeepSurv, LogisticHazard, PCHazard
from facies.survival.prediction import CandidatePredictions, Model, time_grid
from facies.survival.trees import Boosting, Forest


class KaplanMeier(Model):
    """The null model: everybody has the survival of the training patients."""

    def candidates(self, split, outcome, seed):
        return [{}]

    def predict(self, split, outcome, candidates, seed):
        survival = kaplan_meier_at(outcome, time_grid(outcome))
        curves = np.tile(survival, (len(candidates), len(split.x_held), 1))
        return CandidatePredictions.curves(curves, outcome)


MODELS = {
    "coxph": RidgeCox(),
    "coxnet": ElasticNetCox(),
    "deepsurv": DeepSurv(),
    "forest": Forest(),
    "boosting": Boosting(),
    "svm": SurvivalSVM(),
    "coxtime": CoxTime(),
    "coxcc": CoxCC(),
    "deephit": DeepHit(),
    "logistichazard": LogisticHazard(),
    "mtlr": MTLR(),
    "pchazard": PCHazard(),
    "kaplanmeier": KaplanMeier(),
    "cnn": ConvolutionalCox(),
}
