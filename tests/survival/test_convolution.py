"""The end-to-end network: what it sees, a planted sign, and noise."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch

from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.convolution import ConvolutionalCox, ImageDesign, cropped, mean_risks
from facies.survival.features import FEATURES
from facies.survival.folds import assign_folds

SIDE = 16


def cohort(n, seed, effect):
    """Noisy photos in which the brightness of a patch to the left and to the right tells the
    hazard; the first ten patients have two. Images, owners and outcomes."""
    rng = np.random.default_rng(seed)
    sign, owner = rng.normal(size=n), np.concatenate([np.arange(n), np.arange(10)])
    images = rng.normal(128, 20, (len(owner), SIDE, SIDE, 3))
    for left in (3, 10):
        images[:, 6:10, left : left + 3] += 25 * sign[owner, None, None, None]
    time, limit = rng.exponential(np.exp(-effect * sign)), 2 * rng.exponential(size=n)
    return (
        images.clip(0, 255).astype(np.uint8),
        owner,
        Outcome(np.minimum(time, limit), time <= limit),
    )


def fold_of(outcome, number=1):
    folds = assign_folds(outcome, 5, 1)
    return np.flatnonzero(folds != number), np.flatnonzero(folds == number)


def quick():
    model = ConvolutionalCox()
    model.epochs, model.channels, model.batch = (4, 8), (8, 16), 32
    return model


def fit(images, owner, outcome, train, test):
    design = ImageDesign(images, owner)
    ready = crossval.prepare(design, outcome, train, test, 3, [1])
    return crossval.fit(design, ready, outcome, quick(), [1])


def test_photos_go_with_their_patients():
    images = np.zeros((4, SIDE, SIDE, 3), np.uint8)
    split = ImageDesign(images, np.array([2, 0, 1, 2])).split(np.array([2, 1]), np.array([0]))
    assert split.shown.tolist() == [0, 2, 3] and split.patient.tolist() == [0, 1, 0]
    assert split.shown_held.tolist() == [1] and split.patient_held.tolist() == [0]


def test_a_planted_sign_is_found_without_the_test_outcomes():
    images, owner, outcome = cohort(160, 0, effect=1.5)
    train, test = fold_of(outcome)
    made = fit(images, owner, outcome, train, test)
    assert c_index(outcome[test], made.test_risk) > 0.65
    assert c_index(outcome[train], made.inner_oof_risk) > 0.65
    blank = Outcome(outcome.time.copy(), outcome.event.copy())
    blank.time[test], blank.event[test] = np.nan, False
    again = fit(images, owner, blank, train, test)
    for name in ("test_risk", "inner_oof_risk", "survival"):
        assert getattr(again, name).tobytes() == getattr(made, name).tobytes()
    assert again.chosen == made.chosen


def test_photos_of_a_test_patient_move_only_that_patient_s_risk():
    images, owner, outcome = cohort(60, 1, effect=1.0)
    train, test = fold_of(outcome)
    changed = images.copy()
    changed[owner == test[0]] = 0
    model, seed = quick(), [1]
    before, after = (
        crossval.predict(
            model, ImageDesign(i, owner).split(train, test), outcome, [{"epochs": 4}], seed
        )
        for i in (images, changed)
    )
    np.testing.assert_array_equal(before.train, after.train)
    np.testing.assert_array_equal(before.held[0, 1:], after.held[0, 1:])
    assert before.held[0, 0] != after.held[0, 0]


def test_noise_is_worth_half():
    scores = []
    for seed in range(6):
        images, owner, outcome = cohort(100, seed, effect=0.0)
        train, test = fold_of(outcome, 1 + seed % 5)
        made = fit(images, owner, outcome, train, test)
        scores.append(c_index(outcome[test], made.test_risk))
    assert abs(np.mean(scores) - 0.5) < 2.5 * np.std(scores, ddof=1) / len(scores) ** 0.5


def test_crops_are_windows_of_the_photo_or_its_mirror_image():
    photo = torch.arange(16.0 * 16).reshape(1, 1, 16, 16)
    rng = np.random.default_rng(0)
    corners = set()
    for square in cropped(photo.expand(40, 3, 16, 16), rng):
        steps = square[0, 0, 1:] - square[0, 0, :-1]
        assert square.shape == (3, 14, 14) and (steps == steps[0]).all() and abs(steps[0]) == 1
        assert (square[0, 1] - square[0, 0] == 16).all()
        corners.add(int(square[0, 0].min()))
    assert corners == {0, 1, 2, 16, 17, 18, 32, 33, 34}


def test_risks_are_means_over_photos_and_mirror_images():
    class Left(torch.nn.Module):
        def forward(self, photos):
            return photos[:, 0, 0, :1]

    photos = torch.zeros(3, 3, 16, 16)
    photos[:, 0, 1, 1] = torch.tensor([1.0, 2.0, 4.0])  # upper left corner of the middle
    photos[:, 0, 1, 14] = torch.tensor([3.0, 2.0, 0.0])  # upper right
    risks = mean_risks(Left(), photos, np.array([1, 0, 1]))
    assert risks.tolist() == [2.0, 2.0]
    assert mean_risks(Left(), photos[2:], np.array([0])).tolist() == [2.0]


def test_design_of_a_file_has_the_photos_of_the_patients_asked_for(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
    np.savez(tmp_path / "a.npz", photo_ids=np.array(["a", "b", "c"]), images=images)
    photos = pd.DataFrame({"photo_id": ["a", "b", "c"], "patient_id": ["p", "q", "r"]})
    clinical = SimpleNamespace(index=pd.Index(["r", "p"]))
    design = ConvolutionalCox.load_design(
        FEATURES["pixels"], [tmp_path / "a.npz"], photos, clinical
    )
    assert design.owner.tolist() == [1, 0]
    np.testing.assert_allclose(design.images, images[[0, 2]] / 255, atol=1e-6)
