"""Distances against values counted by hand and against their published definitions."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from facies.generator.distances import (
    frechet_distance,
    kernel_distance,
    precision_recall,
    training_share,
)


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def column(*values):
    return np.array(values, float)[:, None]


def by_definition(a, b):
    """Heusel et al. 2017, equation 6, by the matrix root."""
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    shift = a.mean(0) - b.mean(0)
    return shift @ shift + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)


def test_frechet_of_one_number_counted_by_hand():
    # Means 1 and 7, standard deviations 2 ** 0.5 and 8 ** 0.5: 36 + (8 ** 0.5 - 2 ** 0.5) ** 2.
    assert frechet_distance(column(0, 2), column(5, 9)) == pytest.approx(36 + 2)


def test_frechet_of_gaussians_is_known():
    a = normal(0, 200_000, 3) * [1, 2, 3] + [0, 0, 5]
    b = normal(1, 200_000, 3) * [2, 2, 1] + [1, 0, 3]
    assert frechet_distance(a, b) == pytest.approx(5 + 1 + 0 + 4, rel=0.02)


@pytest.mark.parametrize("n, m", [(50, 40), (50, 4), (4, 50), (30, 5)])
def test_frechet_equals_the_definition(n, m):
    mixing = normal(2, 6, 6)
    a, b = normal(0, n, 6) @ mixing, normal(1, m, 6) + 0.5
    assert frechet_distance(a, b) == pytest.approx(by_definition(a, b), rel=1e-6)
    assert frechet_distance(b, a) == pytest.approx(frechet_distance(a, b))


def test_frechet_of_identical_sets_is_nil_with_fewer_photos_than_features():
    a = normal(0, 10, 40)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-9)


def test_kernel_distance_counted_by_hand():
    # (xy + 1) ** 3 is 1 for the pair (0, 1) within a, 8 for (1, 1) within b; between them half of
    # the pairs are (0, 1) and half (1, 1).
    assert kernel_distance(column(0, 1), column(1, 1)) == 1 + 8 - 2 * 4.5


def test_kernel_distance_equals_the_definition():
    a, b = normal(0, 7, 3), normal(1, 5, 3) + 1

    def kernel(x, y):
        return (x @ y / 3 + 1) ** 3

    def mean(pairs):
        return np.mean([kernel(x, y) for x, y in pairs])

    def within(x):
        return mean((x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j)

    expected = within(a) + within(b) - 2 * mean((x, y) for x in a for y in b)
    assert kernel_distance(a, b) == pytest.approx(expected)


def test_kernel_distance_has_no_bias():
    distances = [kernel_distance(normal(i, 5, 4), normal(i + 500, 5, 4)) for i in range(500)]
    assert abs(np.mean(distances)) < 3 * np.std(distances) / 500**0.5


def test_precision_and_recall_counted_by_hand():
    real, fake = column(0, 1, 2, 10), column(1.5, 2.5, 4, 30)
    # To their nearest neighbours: real reach 1, 1, 1, 8; fakes 1, 1, 1.5, 26.
    # Fakes at 1.5, 2.5 and 4 (6 from 10) lie in reach of a real one, 30 does not.
    # Real 1 and 2 lie in reach of a fake, 0 not (1.5 from 1.5), and 10 does (20 from 30).
    assert precision_recall(real, fake, neighbours=1) == (3 / 4, 3 / 4)
    # The reach counts as within: a real photo at 0 and a fake at 3 that reaches 3 far.
    assert precision_recall(column(0, 9), column(3, 6), neighbours=1)[1] == 1
    # To their second: real 2, 1, 2, 9; fakes 2.5, 1.5, 2.5, 27.5. Now 0 is in reach of 1.5.
    assert precision_recall(real, fake, neighbours=2) == (3 / 4, 1)


def test_fakes_of_one_kind_are_precise_and_recall_little():
    real = normal(0, 300, 4)
    assert precision_recall(real, real) == (1, 1)
    precision, recall = precision_recall(real, normal(1, 300, 4) * 0.1)
    assert precision > 0.95 and recall < 0.2
    precision, recall = precision_recall(real, normal(1, 300, 4) * 10)
    assert precision < 0.2 and recall > 0.95


def test_too_few_photos_are_undefined():
    one, four = normal(0, 1, 2), normal(1, 4, 2)
    assert np.isnan(frechet_distance(one, four)) and np.isnan(kernel_distance(four, one))
    assert np.isnan(precision_recall(four, four[1:])).all()
    assert not np.isnan(precision_recall(four, four)).any()


def test_training_share_counted_by_hand():
    photos, patients = column(0, 10, 11, 20), np.array(["a", "b", "b", "c"])
    trained = np.array([True, False, False, True])
    result = training_share(column(1, 9, 12, 19), photos, trained, patients, seed=0)
    # Nearest are 0 of a, 10 and 11 of b, 20 of c. Holding out a, b or c leaves 3, 2 or 3 of 4.
    assert (result.share, result.low, result.high) == (2 / 4, 2 / 4, 3 / 4)
    assert result.p == 1
    assert result.nearest.tolist() == [0, 0, 3, 3]
    assert result.distance.tolist() == [1, 9, 8, 1]
    result = training_share(column(1, 2, 3, 10.4), photos, ~trained | [1, 0, 0, 0], patients, 0)
    # c is held out and nobody's neighbour; a held out would leave one sample, b three.
    assert (result.share, result.low, result.high) == (1, 1 / 4, 1)
    assert result.p == pytest.approx(1 / 3, abs=0.05)


def cohort():
    """Forty patients with two similar photos each, a quarter of them held out."""
    patients = np.repeat(np.arange(40), 2)
    return normal(0, 40, 8)[patients] + 0.1 * normal(1, 80, 8), patients % 4 > 0, patients


def test_planted_memory_is_found():
    photos, trained, patients = cohort()
    samples = photos[trained] + 0.01 * normal(2, 60, 8)
    result = training_share(samples, photos, trained, patients, seed=0)
    assert result.share == 1 and result.high < 1 and result.p < 0.01
    assert result.nearest.tolist() == np.flatnonzero(trained).tolist()


def test_no_memory_is_not_found():
    photos, trained, patients = cohort()
    p = [training_share(normal(i, 60, 8), photos, trained, patients, 0).p for i in range(2, 42)]
    assert np.mean(np.array(p) < 0.1) < 0.3
    result = training_share(normal(2, 60, 8), photos, trained, patients, seed=0)
    assert result.low <= result.share <= result.high


def test_labels_are_exchanged_among_patients_and_not_photos():
    """Thirty photos of one person win all samples: one patient in two, whatever the photos."""
    photos = np.concatenate([normal(0, 30, 2), [[99.0, 99.0]]])
    patients = np.array([0] * 30 + [1])
    result = training_share(normal(1, 50, 2), photos, patients == 0, patients, seed=0)
    assert (result.share, result.low, result.high) == (1, 0, 1)
    assert result.p == pytest.approx(1 / 2, abs=0.05)


def test_chance_is_given_by_its_middle_95_percent():
    """One of 100 patients is held out; k samples are nearest to patient k: the shares by ranks."""
    people = np.arange(100)
    samples = np.repeat(people, people)[:, None].astype(float)
    result = training_share(samples, column(*people), people != 50, people, 0, 20_000)
    assert 1 - np.array([result.high, result.low]) == pytest.approx([2 / 4950, 97 / 4950], abs=3e-4)
    assert result.share == 1 - 50 / 4950 and result.p == pytest.approx(0.51, abs=0.01)


def test_nobody_held_out_leaves_only_the_nearest_photos():
    photos, _, patients = cohort()
    result = training_share(photos[:3], photos, np.full(80, True), patients, seed=0)
    assert np.isnan([result.share, result.low, result.high, result.p]).all()
    assert result.nearest.tolist() == [0, 1, 2] and result.distance.tolist() == [0, 0, 0]
    nobody = training_share(photos, photos, patients > 99, patients, seed=0)
    assert np.isnan(nobody.share) and len(nobody.nearest) == 0
    assert np.isnan(training_share(photos[:0], photos, patients > 3, patients, seed=0).p)
