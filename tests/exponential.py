"""A bundled model of exponential survival, and patients of whom it is true."""

import numpy as np

from facies.bundle.locked import LinearModel
from facies.statistics.outcome import Outcome

RATE = 0.1


def exponential_model():
    """Hazard RATE * exp(risk), known until time 10."""
    times = np.linspace(0, 10, 21)[1:]
    return LinearModel(0.0, np.ones(1), np.array([-0.5, 0.5]), times, RATE * times)


def simulate(n, rate=RATE, seed=0):
    """Risks and outcomes that are what the model says, if the rate is, under censoring."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=n)
    death, end = rng.exponential(1 / (rate * np.exp(risk))), rng.uniform(1, 20, n)
    return risk, Outcome(np.minimum(death, end), death <= end)
