import numpy as np
import pytest

from facies.statistics.decision_curves import net_benefit
from facies.statistics.outcome import Outcome


def test_net_benefit_counted_by_hand():
    # At .5 three of five are treated, two of whom die: 2/5 - 1/5 x 1. At .2 four are: two die,
    # two in vain at an exchange of 1/4.
    o = Outcome(np.array([1.0, 2, 9, 9, 9]), np.array([1, 1, 0, 0, 0], bool))
    predicted = np.array([0.9, 0.6, 0.5, 0.3, 0.1])
    found = net_benefit(o, predicted, 5.0, [0.5, 0.2, 0.95], np.ones((1, 5)))
    np.testing.assert_allclose(found, [[2 / 5 - 1 / 5, 2 / 5 - 2 / 5 / 4, 0]], atol=1e-15)


def test_a_censored_patient_counts_by_kaplan_meier():
    # All treated: Kaplan-Meier at 3.5 is 3/8, so 5/8 - 3/8 x 1/3 at a threshold of a quarter.
    o = Outcome(np.array([1.0, 2, 3, 4]), np.array([1, 0, 1, 0], bool))
    found = net_benefit(o, np.ones(4), 3.5, [0.25], np.ones((1, 4)))
    assert found[0, 0] == pytest.approx(5 / 8 - 3 / 8 / 3)


def test_treated_patients_whose_follow_up_ends_before_the_horizon_have_no_benefit():
    o = Outcome(np.array([1.0, 2, 3, 9]), np.array([1, 0, 1, 0], bool))
    predicted = np.array([0.9, 0.9, 0.3, 0.1])
    weights = np.array([[1.0, 1, 1, 1], [2, 0, 1, 1]])
    found = net_benefit(o, predicted, 5.0, [0.5, 0.2, 0.95], weights)
    # Of the two treated at .5 one died and one was censored; drawn twice, the one who died is
    # certain. The three at .2 end with a death.
    assert np.isnan(found[0, 0]) and found[1, 0] == pytest.approx(0.5)
    assert found[0, 1] == pytest.approx(3 / 4) and (found[:, 2] == 0).all()


def test_drawn_weights_equal_resampled_patients():
    rng = np.random.default_rng(0)
    o = Outcome(rng.exponential(5, 50).round(), rng.random(50) < 0.5)
    predicted, rows = rng.random(50), rng.integers(0, 50, 50)
    weights = np.bincount(rows, minlength=50)[None].astype(float)
    thresholds = [0.1, 0.4, 0.8]
    one = np.ones((1, 50))
    np.testing.assert_allclose(
        net_benefit(o, predicted, 4.0, thresholds, weights),
        net_benefit(o[rows], predicted[rows], 4.0, thresholds, one),
    )


def test_no_model_beats_perfect_foresight():
    rng = np.random.default_rng(1)
    o = Outcome(rng.exponential(5, 200), np.ones(200, bool))
    dies = (o.time <= 4).astype(float)
    found = net_benefit(o, dies, 4.0, [0.2, 0.7], np.ones((1, 200)))
    np.testing.assert_allclose(found[0], dies.mean())
