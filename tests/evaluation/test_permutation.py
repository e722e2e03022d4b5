import numpy as np
import pytest

from facies.evaluation.permutation import permutation_test


def test_permutations_that_cannot_be_scored_prove_nothing():
    scores = [[0.7, 0.9], [0.5, np.nan], [np.nan, np.nan], [0.8, 0.8]]
    found = permutation_test(np.array(scores))
    assert found["observed"] == pytest.approx(0.8)
    assert found["c_index"] == [0.5, 0.8]
    assert found["p_value"] == pytest.approx(2 / 3)
    # Of .5 and .8: mean .65, standard error .15, t of one degree of freedom 12.7062.
    assert found["mean"] == pytest.approx(0.65)
    assert found["mean_high"] - 0.65 == pytest.approx(12.7062 * 0.15, rel=1e-4)
    single = permutation_test(np.array([[np.nan], [0.5]]))
    assert np.isnan([single["p_value"], single["mean_low"], single["mean_high"]]).all()
