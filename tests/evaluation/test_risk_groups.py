import numpy as np
from fits import fold_fit

from facies.evaluation.risk_groups import patient_risks, thirds
from facies.statistics.outcome import Outcome


def risks_of(ids, test_risk, inner_oof_risk):
    return fold_fit(
        test_ids=np.array(ids),
        test=Outcome(np.arange(1.0, len(ids) + 1), np.ones(len(ids), bool)),
        test_risk=np.array(test_risk, float),
        inner_oof_risk=np.array(inner_oof_risk, float),
    )


def test_a_patient_s_risk_is_its_place_among_the_training_risks():
    # Raw risks of the second fold are a hundred times larger; their places are what counts.
    first = risks_of(["a", "b"], [0.5, 3.5], [1, 2, 3, 4])
    second = risks_of(["a", "c"], [250, 300], [100, 200, 300, 400])
    risks = patient_risks([first, second]).set_index("patient_id").risk
    assert risks.to_dict() == {"a": (0 + 0.5) / 2, "b": 0.75, "c": 0.625}


def test_thirds_hold_a_third_each_however_many_repeats_are_averaged():
    rng = np.random.default_rng(0)
    means = rng.random((6, 300)).mean(0)
    assert (np.minimum((means * 3).astype(int), 2) == 1).mean() > 0.6  # cut where one repeat is cut
    found = thirds(means)
    assert np.bincount(found).tolist() == [100, 100, 100]
    assert means[found == 0].max() < means[found == 1].min() < means[found == 2].min()
    # Those alike stay together: a model without any order has one group.
    assert thirds(np.full(9, 0.5)).tolist() == [1] * 9
    assert thirds([0.1, 0.2, 0.2, 0.2, 0.2, 0.9]).tolist() == [0, 1, 1, 1, 1, 2]
