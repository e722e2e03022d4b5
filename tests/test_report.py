import base64
import io

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from facies import report
from facies.pictures import grid, to_tensor, to_uint8


def test_reasons_are_counted_by_kind():
    excluded = [
        {"photo_id": "1", "reason": "no face was found"},
        {"patient_id": "1", "reason": "time is missing"},
        {"photo_id": "2", "reason": "no face was found"},
    ]
    assert report.reasons(excluded) == [
        ("photo", "no face was found", 2),
        ("patient", "time is missing", 1),
    ]


def test_fidelity_counts_lost_faces_against_it():
    latents = {
        "psnr": np.array([20.0, 30, 40, 50]),
        "psnr_face": np.array([10.0, 20, 30, 40]),
        "ssim": np.array([0.1, 0.2, 0.3, 0.4]),
        "landmark_drift": np.array([0.01, 0.03, 0.2, np.nan]),
    }
    found = report.fidelity(latents)
    assert found["psnr_face"] == 25
    assert found["found"] == 0.75
    assert found["close"] == 0.5


def test_jobs_of_a_rule_are_summed(tmp_path):
    (tmp_path / "align_photos").mkdir()
    for i, (seconds, memory) in enumerate([(1.5, 10), (2.5, "-")]):
        row = pd.DataFrame({"s": [seconds], "max_rss": [memory]})
        row.to_csv(tmp_path / "align_photos" / f"{i}.tsv", sep="\t", index=False)
    assert report.run_times(tmp_path) == [
        {"rule": "align_photos", "jobs": 2, "seconds": 4.0, "mb": 10.0}
    ]


def test_settings_are_told_without_places():
    config = {
        "seed": 1,
        "results": "/data/results",
        "store": "/data/store",
        "cohort": {"photos": "/data/p.csv", "patients": "/data/q.csv", "folder": "/d", "time": "t"},
        "generator": {"pretrained": "/data/g.safetensors", "kimg": 4},
    }
    text = report.shareable(config)
    assert "/d" not in text
    assert yaml.safe_load(text) == {"seed": 1, "cohort": {"time": "t"}, "generator": {"kimg": 4}}


def test_best_is_the_model_that_the_config_names_not_the_luckiest():
    scores = [
        {"features": "face", "model": "coxph", "c_index": 0.6},
        {"features": "face", "model": "coxnet", "c_index": 0.9},
    ]
    assert report.best(scores, "face", "coxph") == scores[0]
    assert report.best(scores, "fused", "coxph") is None


def test_a_picture_keeps_nothing_but_its_pixels(tmp_path):
    photo = Image.new("RGB", (4, 4), "red")
    exif = Image.Exif()
    exif[0x010E] = "Mrs Jones"
    photo.save(tmp_path / "photo.jpg", exif=exif, comment=b"Mrs Jones")
    address = report.picture(tmp_path / "photo.jpg")
    assert address.startswith("data:image/png;base64,")
    assert b"Jones" not in base64.b64decode(address.partition(",")[2])


def test_grid_fills_row_by_row_and_leaves_the_rest_white():
    images = np.stack([np.full((2, 3, 3), value, np.uint8) for value in (10, 20, 30)])
    sheet = np.asarray(grid(images, columns=2))
    assert sheet.shape == (4, 6, 3)
    assert [sheet[0, 0, 0], sheet[0, 3, 0], sheet[2, 0, 0], sheet[2, 3, 0]] == [10, 20, 30, 255]


def test_pictures_and_tensors_are_each_others_inverse():
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), np.uint8)
    assert to_tensor(images).min() >= -1 and to_tensor(images).max() <= 1
    assert to_uint8(to_tensor(images)) == pytest.approx(images, abs=1)


def test_tuning_is_told_at_its_start_its_best_and_its_end():
    log = pd.DataFrame(
        {"kimg": [0.0, 1.0, 2.0], "frechet": [3.0, 1.0, 2.0], "pixel": [np.nan, 1, 2]}
    )
    quality = {"kept_kimg": 1.0, "floor": {"frechet": 0.5, "kernel": 0.1}}
    rows = report.tuning(log, quality)
    assert [row["frechet"] for row in rows] == [3.0, 1.0, 2.0, 0.5]
    assert rows[3]["kimg"] is None


def test_the_closest_photos_are_found_by_name_among_those_that_stayed():
    red, green, blue = (np.full((1, 8, 8, 3), c, np.uint8) for c in np.diag([250] * 3))
    found = {"samples": np.concatenate([red, red]), "photo_ids": np.array(["gone", "b"])}
    aligned = {"photo_ids": np.array(["a", "b"]), "images": np.concatenate([green, blue])}
    address = report.closest(found, aligned)
    picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    assert picture.size == (16, 32)
    assert picture.getpixel((8, 8)) == (250, 0, 0) and picture.getpixel((8, 24)) == (0, 0, 250)
    assert report.closest(found | {"photo_ids": np.array(["x", "y"])}, aligned) is None
