import numpy as np
import pytest

from facies.statistics import bootstrap


def test_draws_keep_every_fold_s_size_and_start_with_the_sample():
    ids, folds = ["a", "b", "c", "d", "e"], np.array([1, 2, 1, 2, 2])
    draws = bootstrap.draw_patients(ids, folds, seed=3, draws=400)
    assert draws.weights.shape == (401, 5) and (draws.weights[0] == 1).all()
    assert (draws.weights[:, folds == 1].sum(1) == 2).all()
    assert (draws.weights[:, folds == 2].sum(1) == 3).all()
    assert draws.weights[1:].mean(0) == pytest.approx(np.ones(5), abs=0.15)
    np.testing.assert_array_equal(draws.of(["d", "a"]), draws.weights[:, [3, 0]])
    again = bootstrap.draw_patients(ids, folds, seed=3, draws=400)
    np.testing.assert_array_equal(again.weights, draws.weights)


def test_interval_of_a_mean_is_the_normal_one():
    values = np.random.default_rng(0).normal(5, 2, 400)
    draws = bootstrap.draw_patients(range(400), np.zeros(400), 1)
    found = bootstrap.interval(draws.weights @ values / 400)
    half = 1.96 * values.std() / 20
    assert found["value"] == pytest.approx(values.mean())
    assert found["low"] == pytest.approx(values.mean() - half, abs=0.03)
    assert found["high"] == pytest.approx(values.mean() + half, abs=0.03)


def test_interval_leaves_out_draws_that_cannot_be_scored():
    scores = np.array([[2.0, 1.0], [np.nan, 1.0], [1.0, np.nan], [3.0, 3.0]])
    found = bootstrap.interval(scores)
    assert found["value"] == [2, 1] and found["low"] == pytest.approx([1.05, 1.05])
    nothing = bootstrap.interval(np.array([np.nan, 1.0, 2.0]))
    assert np.isnan(nothing["value"]) and np.isnan(nothing["low"])


def test_inflated_draws_keep_their_middle_and_their_range():
    scores = np.array([[0.5, np.nan], [0.6, 1.0], [0.2, 2.0], [0.9, 1.0]])
    found = bootstrap.inflated(scores, 4.0, (0, 1))
    # Twice as far from the value, and no further than 0 and 1.
    assert found[:, 0] == pytest.approx([0.5, 0.7, 0.0, 1.0])
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_array_equal(bootstrap.inflated(scores[:, :1], 1.0), scores[:, :1])


def test_average_over_folds_leaves_out_unscored_ones():
    rows = [[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]]
    assert bootstrap.average(rows)[0] == 2 and np.isnan(bootstrap.average(rows)[1])


def test_centred_draws_of_a_distance_lie_about_the_sample_s():
    found = bootstrap.centred(np.array([0.1, 0.2, 0.4, 0.6]))
    # Their mean is .4: all move by .3, and none below 0.
    assert found == pytest.approx([0.1, 0.0, 0.1, 0.3])


def test_p_value_counts_draws_beyond_zero():
    assert bootstrap.p_value(np.array([1.0, 1, 2, 3, -1])) == pytest.approx(2 * 2 / 5)
    assert bootstrap.p_value(np.array([1.0, *np.full(99, 2.0)])) == pytest.approx(0.02)
    assert bootstrap.p_value(np.zeros(9)) == 1
    assert np.isnan(bootstrap.p_value(np.array([np.nan, 1.0])))


def test_p_values_are_uniform_when_there_is_no_difference():
    rng = np.random.default_rng(5)
    found = []
    for seed in range(200):
        draws = bootstrap.draw_patients(range(60), np.zeros(60), seed, draws=200)
        found.append(bootstrap.p_value(draws.weights @ rng.normal(size=60) / 60))
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.045)
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)
