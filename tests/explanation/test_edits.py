"""Edits of faces and what is measured on them: shares by hand, planted slopes, known identities."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from tiny import ROOT

from facies.demo.people import pretraining_portraits
from facies.demo.portraits import render as draw
from facies.explanation import edits, heldout, strips
from facies.explanation.direction import Direction, FoldDirections
from facies.generator.stylegan2 import Generator
from facies.photos.detection import FaceDetector
from facies.photos.regions import BACKGROUND, FACE, SURROUND


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return Generator(4, 8, 16, 64, 8, mapping_layers=1).eval().requires_grad_(False)


def test_moved_codes_end_at_the_wanted_multiples_of_their_own_step():
    codes, steps = np.zeros((2, 3, 4)), np.ones((2, 3, 4)) * [[[1.0]], [[10.0]]]
    found = edits.moved(codes, steps, (-2, 0, 1))
    assert found.shape == (2, 3, 3, 4)
    assert found[:, :, 0, 0].tolist() == [[-2, 0, 1], [-20, 0, 10]]


def test_an_edit_of_nought_is_the_face_itself(generator):
    codes = np.random.default_rng(0).normal(size=(2, 6, 8))
    images = edits.render(generator, edits.moved(codes, np.ones((6, 8)), (1, 0)))
    assert images.shape == (2, 2, 16, 16, 3)
    assert np.array_equal(images[:, 1], edits.render(generator, codes))
    assert np.array_equal(images[:, 0], edits.render(generator, codes + 1))


def test_shares_counted_by_hand():
    regions = np.array([[FACE, SURROUND], [FACE, BACKGROUND]])
    first, last = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    last[0, 0], last[0, 1], last[1, 1, 0] = 1, 2, 3  # 3, 12 and 9 of 24
    middle = np.full_like(first, 200)
    energy = edits.change(np.stack([first, middle, last]))
    assert energy.tolist() == [[3, 12], [0, 9]]
    found = edits.shares(energy, regions)
    assert found == {
        "face": 3 / 24,
        "surround": 12 / 24,
        "body": 0,
        "background": 9 / 24,
        "border": 0,
        "head": 15 / 24,
    }
    assert set(edits.shares(np.zeros((2, 2)), regions).values()) == {0}


def test_slope_and_order_of_found_risks():
    risks = np.array([[-2.0, -1, 0, 1, 2], [-1, -0.5, 0, 0.5, 1], [-2, 0, -1, 1, 2]])
    assert edits.slopes(risks).tolist() == [1, 0.5, 0.9]
    assert edits.slopes(risks + 7) == pytest.approx(edits.slopes(risks))
    assert edits.monotone(risks).tolist() == [True, True, False]


def test_identity_is_measured_against_other_people():
    own = np.array([[0.0, 0], [4, 0], [0, 3]])  # distances 4, 3 and 5: the median is 4
    features = np.repeat(own[:, None], 3, axis=1)
    features[0, 0] += [1, 0]
    features[0, 2] += [3, 0]  # nearer to the second person
    found = edits.identity(features)
    assert found["distance"] == pytest.approx([2 / 4, 0, 0])
    assert found["recognised"].tolist() == [False, True, True]


def test_share_of_hits_has_wilson_s_interval():
    # Published: 81 of 263, .2553 to .3662 (Newcombe, Stat Med 17 (1998) 857-72, table I).
    found = edits.share_of(np.arange(263) < 81)
    assert found["value"] == pytest.approx(0.3080, abs=5e-5)
    assert (found["low"], found["high"]) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    whole = edits.share_of(np.ones(24, bool))
    assert whole["high"] == pytest.approx(1) and 0.8 < whole["low"] < 0.9
    assert edits.share_of(np.zeros(0)) is None


def test_means_and_ratios_over_faces():
    values = np.random.default_rng(0).normal(3, 1, 100)
    found = edits.over_faces(values, 1)
    assert found["value"] == pytest.approx(values.mean())
    assert found["low"] == pytest.approx(values.mean() - 0.196 * values.std(), abs=0.03)
    # A ratio of paired values is surer than its parts.
    assert edits.ratio(3 * values, values, 1) == pytest.approx({"value": 3, "low": 3, "high": 3})
    assert edits.over_faces(np.zeros(0), 1) is None
    assert edits.ratio(values, np.zeros(100), 1) is None


def test_regions_are_found_again_in_a_crop():
    folder = ROOT / "resources" / "detector"
    if not (folder / "face_landmark.tflite").exists():
        pytest.skip("the face models are not fetched: run `snakemake --cores 1 fetch_detector`")
    detector = FaceDetector(folder)
    portrait = next(pretraining_portraits(3, 1))
    photo, drawn, _ = draw(portrait, 256)
    found = edits.find_regions(photo[::2, ::2], detector)
    assert found.shape == (128, 128)
    truth = drawn[::2, ::2] == FACE
    both = ((found == FACE) & truth).sum() / ((found == FACE) | truth).sum()
    assert both > 0.6
    assert edits.find_regions(np.zeros((64, 64, 3), np.uint8), detector) is None


def cohort(n=10):
    ids = [f"p{i}" for i in range(n)]
    folds = pd.DataFrame({"patient_id": ids * 2, "repeat": [1] * n + [2] * n})
    folds["fold"] = [*np.arange(n) % 2 + 1, *np.arange(n) // 5 + 1]
    photos = pd.DataFrame({"photo_id": [f"{p}-{k}" for p in ids for k in (1, 2)]})
    return folds, photos.assign(patient_id=photos.photo_id.str.split("-").str[0])


def test_each_face_is_shown_by_the_fold_that_held_it_out(tmp_path):
    folds, photos = cohort()
    codes = np.random.default_rng(0).normal(size=(20, 2, 3)).astype(np.float32)
    np.savez(tmp_path / "latents.npz", photo_ids=photos.photo_id.to_numpy(str), codes=codes)
    axes = np.eye(6)
    by_fold = {k: Direction(axes[k], axes[k], np.zeros(6), 2.0) for k in (1, 2)}
    found = heldout.held_out_faces(
        tmp_path / "latents.npz", photos, folds, FoldDirections((2, 3), 1, by_fold, None), 6, 0
    )
    patients = [photo.split("-")[0] for photo in found.photo_ids]
    assert len(set(patients)) == 6 and sorted(found.folds) == [1, 1, 1, 2, 2, 2]
    first = folds[folds.repeat == 1].set_index("patient_id").fold
    assert first[patients].tolist() == found.folds.tolist()
    rows = pd.Index(photos.photo_id).get_indexer(found.photo_ids)
    assert np.array_equal(found.codes, codes[rows])
    # Two SD, of 2, along the own fold's axis; the other fold's does not count.
    assert found.steps.reshape(6, 6).argmax(axis=1).tolist() == found.folds.tolist()
    moved = edits.moved(found.codes, found.steps)
    assert found.risks(moved) == pytest.approx(np.tile([-2, -1, 0, 1, 2], (6, 1)))
    # Of the fold without a model nobody is shown.
    one = FoldDirections((2, 3), 1, {2: by_fold[2]}, None)
    found = heldout.held_out_faces(tmp_path / "latents.npz", photos, folds, one, 6, 0)
    assert set(found.folds) == {2} and len(found.codes) == 5


def test_heat_is_red_where_the_map_is_high_and_grey_elsewhere():
    energy = np.zeros((4, 4))
    energy[0, 0] = 1
    found = strips.heat(energy, np.full((4, 4, 3), 100, np.uint8))
    assert found[0, 0].tolist() == strips.HOT.tolist()
    assert found[1, 1].tolist() == [162, 162, 162]


def test_moving_faces_go_there_and_back(tmp_path):
    frames = [np.full((1, 2, 8, 8, 3), 80 * i, np.uint8) for i in range(3)]
    strips.save_moving(tmp_path / "x.webp", frames)
    with Image.open(tmp_path / "x.webp") as found:
        assert found.n_frames == 4 and found.size == (2 * strips.TILE, strips.TILE)
        greys = []
        for i in range(4):
            found.seek(i)
            greys.append(np.asarray(found.convert("L")).mean())
    assert greys == pytest.approx([0, 80, 160, 80], abs=6)


def test_scores_are_those_of_the_fits_and_patients_stay_unseen(road):
    folder = road / "results/explanation"
    health = pd.read_csv(folder / "health.csv", dtype={"patient_id": str}).set_index("patient_id")
    for fold in (1, 2):
        with np.load(road / f"results/fits/cohort/full/face/coxph/1-{fold}.npz") as fit:
            found = -health.health[fit["test_ids"]]
            assert found.to_numpy() == pytest.approx(fit["test_risk"], rel=1e-3, abs=1e-5)
    names = {path.name for path in folder.iterdir()}
    assert {"edits.json", "walks.webp", "attribution.json"} <= names
    assert not any(name.startswith("patients") for name in names)
    found = json.loads((folder / "edits.json").read_text())
    assert 0 < found["faces"] <= 24 and len(found["risk"]) == 5
    report = (road / "results/report.html").read_text()
    assert "image/webp" in report and "edited by models fitted without them" not in report


def test_a_column_that_nobody_measured_is_told_of(road, tmp_path):
    from tiny import snakemake, write_config

    copy = shutil.copytree(road, tmp_path / "copy")
    write_config(copy, explanation={"columns": ["age", "shoe_size"]})
    run = snakemake(copy, "results/cohort/columns.csv")
    assert run.returncode != 0
    said = "explanation.columns: no column shoe_size: it is none of the photos' sheet"
    assert said in run.stdout + run.stderr
