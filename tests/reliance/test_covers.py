"""Effects of changed photos on planted linear models."""

import numpy as np
import pandas as pd
import pytest
from linear_fold import linear_fold

from facies.reliance import covers


@pytest.fixture
def linear():
    return linear_fold()


def test_risk_of_changed_photos(linear):
    codes, beta, fit, draws = linear
    nothing = covers.effect_of_change([(fit, beta.ravel())], lambda ids: np.zeros((80, 12)), draws)
    assert (nothing["lost"] == 0).all() and nothing["variance_lost"] == pytest.approx(
        np.zeros(51), abs=1e-12
    )
    # Without the layer everybody is alike, and C falls from 1 to 1/2.
    gone = np.zeros_like(codes)
    gone[:, 1] = -codes[:, 1]
    found = covers.effect_of_change(
        [(fit, beta.ravel()), (fit, None)], lambda ids: gone.reshape(80, -1), draws
    )
    assert found["c_index"][0] == 0.5 and found["lost"][0] == 0.5 and found["variance_lost"][0] == 1
    # One SD up for all: C stays, the risk moves by one SD.
    up = np.zeros_like(codes)
    up[:, 1, 0] = fit.inner_oof_risk.std()
    found = covers.effect_of_change([(fit, beta.ravel())], lambda ids: up.reshape(80, -1), draws)
    assert found["lost"] == pytest.approx(np.zeros(51), abs=1e-12)
    assert found["shift"] == pytest.approx(np.ones(51))
    assert found["variance_lost"] == pytest.approx(np.zeros(51), abs=1e-12)
    # No fold has a model: nothing is known, and the interval says so.
    found = covers.effect_of_change([(fit, None)], lambda ids: up.reshape(80, -1), draws)
    assert all(np.isnan(values).all() and len(values) == 51 for values in found.values())
    assert np.isnan(covers.cover_row("face", found, found, found)["lost"]["value"])


def test_variance_lost_by_hand():
    before, shares = np.array([0.0, 0, 2, 2]), np.full((1, 4), 0.25)
    assert covers.variance_lost(before, before * 3 + 1, shares)[0] == pytest.approx(0)
    assert covers.variance_lost(before, np.array([0.0, 1, 0, 1]), shares)[0] == pytest.approx(1)
    # r = 1/2 -> a quarter of the variance is kept; against each other nothing is.
    after = np.array([-np.sqrt(3) - 1, np.sqrt(3) - 1, -np.sqrt(3) + 1, np.sqrt(3) + 1])
    assert covers.variance_lost(before, after, shares)[0] == pytest.approx(0.75)
    assert covers.variance_lost(before, -before, shares)[0] == 1
    assert covers.variance_lost(before, np.zeros(4), shares)[0] == 1
    # Weights that leave out the second and fourth leave a perfect pair.
    few = np.array([[0.5, 0, 0.5, 0]])
    assert covers.variance_lost(before, np.array([0.0, 1, 5, 1]), few)[0] == pytest.approx(0)


def test_each_region_is_compared_with_its_own_covers(linear):
    codes, beta, fit, draws = linear
    photos = pd.DataFrame({"photo_id": fit.test_ids, "patient_id": fit.test_ids})
    full = {"photo_ids": fit.test_ids, "codes": codes}
    without = codes.copy()
    without[:, 1] = 0  # nothing is left of what orders the patients
    latents = {"without_face": full | {"codes": without}, "inpainted_face": full}
    latents |= {"random_face": full}
    (row,) = covers.cover_rows(["face"], latents, full, photos, [(fit, beta.ravel())], draws)
    assert row["region"] == "face" and row["lost"]["value"] == 0.5
    assert row["inpainted"]["lost"]["value"] == row["control"]["lost"]["value"] == 0
    assert row["excess"] == row["lost"]
