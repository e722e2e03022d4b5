import numpy as np
import pytest
from sklearn.model_selection import train_test_split
from sksurv.datasets import load_gbsg2
from sksurv.ensemble import RandomSurvivalForest
from sksurv.linear_model import CoxnetSurvivalAnalysis
from sksurv.metrics import (
    brier_score,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)
from sksurv.preprocessing import encode_categorical
from sksurv.util import Surv

from facies.statistics import ipcw
from facies.statistics.concordance import c_index
from facies.statistics.kaplan_meier import kaplan_meier_at
from facies.statistics.outcome import Outcome


def outcome(time, event):
    return Outcome(np.array(time, float), np.array(event, bool))


def random_outcome(n, seed, events=0.6):
    """Without tied times: at a death the library has the weight after it (its issue 428)."""
    rng = np.random.default_rng(seed)
    return outcome(rng.exponential(20, n), rng.random(n) < events)


def surv(o):
    return Surv.from_arrays(o.event, o.time)


def tied_risk(n, seed):
    return np.random.default_rng(seed).integers(0, 9, n) / 4


def predictions(n, times, seed):
    return np.exp(-np.outer(np.random.default_rng(seed).gamma(2, 0.02, n), times))


@pytest.mark.parametrize(
    ("model", "harrell", "score"),
    [
        (RandomSurvivalForest(max_depth=2, random_state=1), 0.692, 0.192),
        (CoxnetSurvivalAnalysis(l1_ratio=0.99, fit_baseline_model=True), 0.688, 0.189),
    ],
)
def test_scores_as_published(model, harrell, score):
    """scikit-survival's user guide on German breast cancer: C and IBS of the middle four fifths."""
    x, y = load_gbsg2()
    split = train_test_split(encode_categorical(x), y, stratify=y["cens"], random_state=1)
    train, test, y_train, y_test = split
    model.fit(train, y_train)
    everybody, tested = (outcome(part["time"], part["cens"]) for part in (y, y_test))
    low, high = np.percentile(y["time"], [10, 90])
    times = np.arange(low, high + 1)
    survival = np.array([curve(times) for curve in model.predict_survival_function(test)])
    terms = ipcw.brier_terms(everybody, tested, survival, times)
    assert c_index(tested, model.predict(test)) == pytest.approx(harrell, abs=5e-4)
    found = ipcw.weighted_mean(ipcw.integrated_brier(terms, times), np.ones((1, len(tested))))
    assert found[0] == pytest.approx(score, abs=5e-4)


ONE = np.ones((1, 4))


def test_uno_c_truncates_where_the_reference_would_raise():
    train, test = random_outcome(200, 0), random_outcome(60, 1)
    risk = tied_risk(60, 2)
    end = float(np.quantile(train.time, 0.9))
    expected = concordance_index_ipcw(surv(train), surv(test), risk, end)[0]
    assert ipcw.uno_c(train, test, risk, end)[0] == pytest.approx(expected, abs=1e-14)
    longer = Outcome(np.append(test.time, 1e6), np.append(test.event, True))
    risk = np.append(risk, 0.0)
    with pytest.raises(ValueError, match="time point"):
        concordance_index_ipcw(surv(train), surv(longer), risk)
    known = ipcw.uno_c(train, longer, risk, np.inf)[0]
    assert known == ipcw.uno_c(train, longer, risk, train.time.max())[0]
    assert np.isnan(ipcw.uno_c(train, longer, risk, 0.5)[0])


@pytest.mark.parametrize("events", [0.15, 0.6, 1.0])
def test_auc_equals_scikit_survival_with_ties_and_censoring(events):
    train, test = random_outcome(300, 0, events), random_outcome(120, 1, events)
    risk, times = tied_risk(120, 2), np.arange(4.0, 26, 3)
    inside = test.time < train.time.max()
    test, risk = test[inside], risk[inside]
    expected, mean = cumulative_dynamic_auc(surv(train), surv(test), risk, times)
    found = ipcw.auc(train, test, risk, times, np.ones((1, len(test))))
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)
    assert ipcw.mean_auc(found, kaplan_meier_at(test, times))[0] == pytest.approx(mean, abs=1e-12)


def test_auc_counted_by_hand_and_nan_where_nobody_can_be_parted():
    # At 2.5 one has died, of risk 2; the two who live on have risks 1 and 2; one is censored.
    o = outcome([1, 2, 3, 4], [1, 0, 1, 1])
    scores = ipcw.auc(o, o, [2.0, 9.0, 1.0, 2.0], [0.5, 2.5, 4.0], ONE)
    assert np.isnan(scores[0]).tolist() == [True, False, True]
    assert scores[0, 1] == pytest.approx(0.75)
    # By how many fell: nothing at the times that have no score.
    assert ipcw.mean_auc(scores, np.array([1.0, 0.6, 0.1]))[0] == pytest.approx(0.75)
    assert np.isnan(ipcw.auc(o, o, [np.nan, 1, 2, 3], [2.5], ONE)).all()


def test_scores_of_weights_equal_those_of_resampled_rows():
    train, test = random_outcome(200, 0), random_outcome(60, 1)
    test = test[test.time < 40]
    n, risk, times = len(test), tied_risk(len(test), 2), np.array([5.0, 10, 20])
    rows = np.random.default_rng(3).integers(0, n, (20, n))
    weights = np.array([np.bincount(own, minlength=n) for own in rows], float)
    aucs = [cumulative_dynamic_auc(surv(train), surv(test[i]), risk[i], times)[0] for i in rows]
    np.testing.assert_allclose(ipcw.auc(train, test, risk, times, weights), aucs, rtol=1e-12)
    survival = predictions(n, times, 4)
    terms = ipcw.brier_terms(train, test, survival, times)
    briers = [brier_score(surv(train), surv(test[i]), survival[i], times)[1] for i in rows]
    np.testing.assert_allclose(ipcw.weighted_mean(terms, weights), briers, rtol=1e-12)


@pytest.mark.parametrize("events", [0.15, 0.6, 1.0])
def test_brier_equals_scikit_survival_and_survives_long_follow_up(events):
    train, test = random_outcome(200, 0, events), random_outcome(60, 1, events)
    test = test[test.time < train.time.max()]
    end = min(np.quantile(train.time, 0.9), test.time.max() - 1)
    times = np.linspace(test.time.min(), end, 30)
    survival = predictions(len(test), times, 2)
    terms = ipcw.brier_terms(train, test, survival, times)
    expected = brier_score(surv(train), surv(test), survival, times)[1]
    np.testing.assert_allclose(terms.mean(0), expected, rtol=1e-12)
    whole = integrated_brier_score(surv(train), surv(test), survival, times)
    assert ipcw.integrated_brier(terms, times).mean() == pytest.approx(whole, abs=1e-12)
    late = Outcome(np.where(test.time > end, 1e6, test.time), test.event)
    np.testing.assert_array_equal(ipcw.brier_terms(train, late, survival, times), terms)


def test_brier_of_perfect_foresight_is_nil_and_of_a_coin_a_quarter():
    o = outcome(np.arange(1, 21), np.ones(20))
    times = np.linspace(1, 19.5, 38)
    right = (o.time[:, None] > times).astype(float)
    assert (ipcw.brier_terms(o, o, right, times) == 0).all()
    coin = ipcw.brier_terms(o, o, np.full(right.shape, 0.5), times)
    np.testing.assert_allclose(coin, 0.25)


def test_brier_ends_with_the_training_and_the_test_follow_up():
    """Whole months: many training patients share the longest time, a test patient lived longer."""
    train = outcome([1, 2, 3, 4, 5, 6, 6, 6], np.ones(8))
    test = outcome([1, 3, 5, 9], [1, 1, 1, 0])
    times = np.linspace(0, 8, 17)[1:]
    survival = np.tile(np.linspace(1, 0, len(times)), (4, 1))
    terms = ipcw.brier_terms(train, test, survival, times)
    assert times[~np.isnan(terms).any(axis=0)].max() == 5.5
    assert 0 < ipcw.integrated_brier(terms, times).mean() < 0.5
    shorter = ipcw.brier_terms(train, test[:2], survival[:2], times)
    assert times[~np.isnan(shorter).any(axis=0)].max() == 2.5
    assert np.isnan(ipcw.integrated_brier(np.full((4, 16), np.nan), times)).all()


def test_a_death_has_the_weight_just_before_it():
    # At 2 one dies and two are censored: of the three at risk the death comes first, and it has
    # the weight of nobody censored. From then on G is 1/3, for half of the two who are left at 2
    # and the one at 3: at 2 three live on, two of them are censored.
    train = outcome([1, 2, 2, 2, 3, 4], [1, 1, 0, 0, 1, 1])
    weights = ipcw.inverse_censoring(train, [1.5, 2, 3], before=True)
    np.testing.assert_allclose(weights, [1, 1, 2])
    np.testing.assert_allclose(ipcw.inverse_censoring(train, [1.5, 2, 3]), [1, 2, 2])
    np.testing.assert_allclose(ipcw.horizon_weights(train, train, 2.0), [1, 1, 0, 0, 2, 2])
    # Weights of whole years add up to everybody, which 1 / G(T) does not: 1 + 2 + 2 + 2.
    assert ipcw.horizon_weights(train, train, 2.0).sum() == len(train)


@pytest.mark.parametrize("unit", [1.0, 5.0, 12.0])
def test_weights_of_a_cohort_add_up_to_it_however_coarse_its_times(unit):
    fine = random_outcome(400, 5)
    coarse = Outcome(np.ceil(fine.time / unit), fine.event)
    for horizon in np.quantile(coarse.time, [0.3, 0.6, 0.8]):
        assert ipcw.horizon_weights(coarse, coarse, horizon).mean() == pytest.approx(1)


def test_known_weights_by_hand():
    # Censored one of the four at 2, with three at risk: G is 2/3 from then on.
    train = outcome([1, 2, 3, 4], [1, 0, 1, 1])
    test = outcome([1, 2, 3, 5], [1, 0, 1, 0])
    np.testing.assert_allclose(ipcw.horizon_weights(train, test, 3.5), [1, 0, 1.5, 1.5])
    np.testing.assert_allclose(ipcw.horizon_weights(train, test, 1.5), [1, 1, 1, 1])
    assert np.isnan(ipcw.horizon_weights(train, test, 4.0)).all()
    # Over the patients the weights of those who are known add up to everybody.
    assert ipcw.horizon_weights(train, train, 3.5).sum() == pytest.approx(4)
