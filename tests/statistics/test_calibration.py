import numpy as np
import pytest
from scipy.stats import chi2

from facies.statistics import calibration, ipcw
from facies.statistics.kaplan_meier import kaplan_meier_at
from facies.statistics.outcome import Outcome


def outcome(time, event):
    return Outcome(np.array(time, float), np.array(event, bool))


def cohort(n, seed, censored=True):
    """Exponential deaths at known rates, and their true probability of death by time 1."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(-0.5, 0.8, n))
    death = rng.exponential(1 / rate)
    limit = rng.exponential(2, n) if censored else np.full(n, 9.0)
    o = Outcome(np.minimum(death, limit), death <= limit)
    return o, rate, 1 - np.exp(-rate)


def curve_at_one(o, predicted, grid, weights):
    dead = o.event & (o.time <= 1)
    return calibration.smooth(dead, predicted, ipcw.horizon_weights(o, o, 1.0), grid, weights)


def ici_of(curve, grid, predicted):
    distance = calibration.distances(curve, grid, predicted)
    return calibration.indices(distance, np.ones(distance.shape))["ici"][0]


def test_observed_to_expected_counted_by_hand():
    # Kaplan-Meier at 3 is 3/8; half were predicted to die.
    o = outcome([1, 2, 3, 4], [1, 0, 1, 0])
    weights = np.array([[1.0, 1, 1, 1], [0, 0, 0, 0]])
    found = calibration.observed_to_expected(o, np.full(4, 0.5), 3.0, weights)
    assert found[0] == pytest.approx(0.625 / 0.5) and np.isnan(found[1])


def test_groups_hold_everybody_and_their_kaplan_meier_estimate():
    o, _, predicted = cohort(203, 0)
    rows = calibration.grouped(o, predicted, 1.0)
    assert sum(row["n"] for row in rows) == 203
    lowest = np.argsort(predicted)[:41]
    assert rows[0]["predicted"] == pytest.approx(predicted[lowest].mean())
    assert rows[0]["observed"] == pytest.approx(1 - kaplan_meier_at(o[lowest], [1.0])[0])
    assert all(row["low"] <= row["observed"] <= row["high"] for row in rows)


def test_a_group_without_deaths_has_no_interval():
    # Of the first five nobody dies by 2, of the others everybody: neither is certain.
    o = outcome([3.0] * 5 + [1.0, 1.0, 1.5, 1.5, 2.0], [0] * 5 + [1] * 5)
    alive, dead = calibration.grouped(o, np.linspace(0.1, 0.9, 10), 2.0, groups=2)
    assert alive["observed"] == 0 and dead["observed"] == 1
    assert np.isnan([alive["low"], alive["high"], dead["low"], dead["high"]]).all()


def test_smooth_curve_of_a_line_is_the_line():
    """Deaths in exact proportion to the prediction: the local lines lie on the diagonal."""
    levels = np.repeat(np.arange(1, 10) / 10, 10)
    dead = np.concatenate([np.arange(10) < k for k in range(1, 10)])
    grid = np.array([0.2, 0.35, 0.5, 0.8])
    found = calibration.smooth(dead, levels, np.ones(90), grid, np.ones((2, 90)))
    np.testing.assert_allclose(found, [grid, grid], atol=1e-9)
    half = calibration.smooth(dead, levels / 2, np.ones(90), grid / 2, np.ones((1, 90)))
    np.testing.assert_allclose(half, [grid], atol=1e-9)


def test_equal_predictions_leave_the_observed_share():
    dead = np.array([1, 1, 0, 0, 0], bool)
    found = calibration.smooth(dead, np.full(5, 0.3), np.ones(5), np.full(3, 0.3), np.ones((1, 5)))
    np.testing.assert_allclose(found, 0.4)


def test_curve_and_ici_find_the_planted_miscalibration_under_heavy_censoring():
    o, rate, right = cohort(6000, 1)
    assert (~o.event).mean() > 0.3
    grid, weights = np.linspace(0.1, 0.9, 30), np.ones((1, 6000))
    well = curve_at_one(o, right, grid, weights)
    np.testing.assert_allclose(well[0], grid, atol=0.06)
    assert ici_of(well, grid, right) < 0.02
    # Twice the hazard was predicted: p is observed where 1 - (1 - p)^2 was said.
    doubled = 1 - np.exp(-2 * rate)
    curve = curve_at_one(o, doubled, grid, weights)
    np.testing.assert_allclose(curve[0], 1 - np.sqrt(1 - grid), atol=0.06)
    expected = np.abs(doubled - right).mean()
    assert ici_of(curve, grid, doubled) == pytest.approx(expected, abs=0.02)
    ratio = calibration.observed_to_expected(o, doubled, 1.0, weights)[0]
    assert ratio == pytest.approx(right.mean() / doubled.mean(), abs=0.03)


def test_weights_of_the_curve_equal_resampled_rows():
    o, _, predicted = cohort(80, 2, censored=False)
    dead = o.time <= 1
    rows = np.random.default_rng(3).integers(0, 80, 80)
    weights = np.bincount(rows, minlength=80)[None].astype(float)
    grid = np.array([0.3, 0.5])
    # A span of all patients on both sides: the nearest are the same, whoever was drawn.
    ours = calibration.smooth(dead, predicted, np.ones(80), grid, weights)
    distance = predicted - grid[:, None]
    width = np.sort(np.abs(distance), axis=1)[:, [59]]
    kernel = np.clip(1 - np.clip(np.abs(distance) / width, 0, 1) ** 3, 0, 1) ** 3
    for k in range(2):
        x, root = distance[k, rows], np.sqrt(kernel[k, rows])
        design = np.column_stack([np.ones(80), x]) * root[:, None]
        line = np.linalg.lstsq(design, dead[rows] * root, rcond=None)[0]
        assert ours[0, k] == pytest.approx(line[0], abs=1e-10)


def test_distances_of_a_curve_counted_by_hand():
    grid, curve = np.array([0.0, 0.5, 1.0]), np.array([[0.1, 0.5, 0.7]])
    predicted = np.array([0.25, 0.5, 1.0])
    # Observed .3, .5, .7: off by .05, 0, .3.
    found = calibration.distances(curve, grid, predicted)
    np.testing.assert_allclose(found, [[0.05, 0, 0.3]])
    # Of the second draw the last patient is out and the first there twice.
    weights = np.array([[1.0, 1, 1], [2, 1, 0]])
    indices = calibration.indices(np.repeat(found, 2, axis=0), weights)
    np.testing.assert_allclose(indices["ici"], [0.35 / 3, 0.1 / 3])
    np.testing.assert_allclose(indices["e50"], [0.05, 0.05])
    np.testing.assert_allclose(indices["e90"], [0.3, 0.05])


def test_nothing_is_observed_beyond_the_follow_up():
    o, predicted = outcome([1, 2, 3, 4], [1, 0, 1, 0]), np.full(4, 0.5)
    weights = np.array([[1.0, 1, 1, 1], [2, 1, 0, 0]])
    at_four = calibration.observed_to_expected(o, predicted, 4.0, weights)
    assert at_four[0] == pytest.approx(0.625 / 0.5) and np.isnan(at_four[1])
    assert np.isnan(calibration.observed_to_expected(o, predicted, 4.5, weights)).all()
    # Who have all died stay so.
    dead = outcome([1, 2, 3, 4], [1, 1, 1, 1])
    assert calibration.observed_to_expected(dead, predicted, 9.0, weights) == pytest.approx([2, 2])


def test_survival_bins_counted_by_hand():
    # A death at survival .95 fills the last bin; one at .05 the first. A patient censored at .25
    # would have died below it: .1 + .1 + .05 of .25.
    o = outcome([1, 2, 3], [1, 1, 0])
    bins = calibration.survival_bins(o, np.array([0.95, 0.05, 0.25]))
    np.testing.assert_allclose(bins, [1.4, 0.4, 0.2, 0, 0, 0, 0, 0, 0, 1], atol=1e-12)
    expected = ((bins - 0.3) ** 2 / 0.3).sum()
    assert calibration.d_calibration(bins) == pytest.approx(chi2.sf(expected, 9))


def test_d_calibration_holds_for_the_truth_and_fails_for_twice_the_hazard():
    o, rate, _ = cohort(2000, 4)
    right = calibration.survival_bins(o, np.exp(-rate * o.time))
    assert right.sum() == pytest.approx(2000) and calibration.d_calibration(right) > 0.01
    wrong = calibration.survival_bins(o, np.exp(-2 * rate * o.time))
    assert calibration.d_calibration(wrong) < 1e-6


def test_d_calibration_grows_with_censoring_and_hardly_ever_rejects_the_truth():
    """Why a large p says nothing where few died: with a tenth of deaths it is near 1 for the truth
    as for twice its hazard."""
    rng = np.random.default_rng(6)
    rate = np.exp(rng.normal(0, 0.8, 300))
    death, limit = rng.exponential(1 / rate), rng.exponential(1 / 12, 300)
    o = Outcome(np.minimum(death, limit), death <= limit)
    assert o.event.mean() < 0.15
    for factor in (1, 1.5):
        bins = calibration.survival_bins(o, np.exp(-factor * rate * o.time))
        assert calibration.d_calibration(bins) > 0.95
