"""Nuisances of hand-made photos."""

import numpy as np
import pandas as pd

from facies.reliance import nuisance


def test_colours_are_measured_outside_the_face():
    regions = np.full((20, 20), 4, np.uint8)
    regions[5:15, 5:15] = 1
    image = np.full((20, 20, 3), (100, 80, 120), np.uint8)
    pale = image.copy()
    pale[6:14, 6:14] = 250
    meta = dict.fromkeys(nuisance.ALIGNED, 0) | {"width": 40, "height": 80}
    quad = np.array([[0, 0], [0, 40], [40, 40], [40, 0.0]])
    found = [
        nuisance.measures({"image": i, "regions": regions, "quad": quad}, meta, 1000)
        for i in (image, pale)
    ]
    for name, value in {"brightness": 100, "redness": 20, "blueness": 40}.items():
        assert found[0][f"outside_{name}"] == found[1][f"outside_{name}"] == value, name
    assert (found[0]["crop_x"], found[0]["crop_y"]) == (0.5, 0.25)


def photo(**changes):
    """Measures of a grey photo without a face."""
    item = {"image": np.full((20, 20, 3), 128, np.uint8), "quad": np.zeros((4, 2))}
    item["regions"] = np.full((20, 20), 4, np.uint8)
    meta = dict.fromkeys(nuisance.ALIGNED, 0) | {"width": 40, "height": 80}
    return nuisance.measures(item | changes, meta, 1000)


def test_measures_by_hand():
    flat = photo()
    assert (flat["log_sharpness"], flat["noise"], flat["outside_contrast"]) == (0, 0, 0)
    assert flat["file_size"] == np.log(1000)
    board = np.zeros((20, 20), np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = 100
    noisy = photo(image=np.repeat(board[..., None], 3, axis=2))
    assert noisy["noise"] == 400  # four neighbours differ by 100 each
    assert noisy["outside_contrast"] == 50
    nothing = photo(regions=np.ones((20, 20), np.uint8))
    assert nothing["outside_brightness"] == 128 and nothing["outside_contrast"] == 0


def test_a_registered_measure_is_taken(monkeypatch):
    monkeypatch.setattr(nuisance, "MEASURES", {})

    @nuisance.measure
    def rows(photo):
        return len(photo.image)

    assert photo() == dict.fromkeys(nuisance.ALIGNED, 0.0) | {"width": 40, "height": 80, "rows": 20}


def test_rare_colour_profiles_are_one_category():
    ids = pd.Index([f"{i:02d}" for i in range(24)], name="photo_id")
    profiles = pd.Series(["sRGB"] * 12 + ["none"] * 10 + ["A", "B"], ids)
    columns = pd.DataFrame({"camera": range(24)}, ids)
    found = nuisance.categories(columns, profiles)
    assert list(found) == ["own_camera", "colour_profile"]
    assert found.colour_profile.value_counts().to_dict() == {"sRGB": 12, "none": 10, "other": 2}
    same = pd.Series("sRGB", ids)
    assert list(nuisance.categories(columns, same)) == ["own_camera"]
