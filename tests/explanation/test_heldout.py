"""Held-out faces: the fold that held each out, and their photos."""

import numpy as np
import pandas as pd
import pytest

from facies.common.rows import save_rows
from facies.explanation import heldout
from facies.explanation.direction import Direction, FoldDirections
from facies.explanation.edits import moved


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
    faces = heldout.held_out_faces(
        tmp_path / "latents.npz", photos, folds, FoldDirections((2, 3), 1, by_fold, None), 6, 0
    )
    patients = [photo.split("-")[0] for photo in faces.photo_ids]
    assert len(set(patients)) == 6 and sorted(faces.folds) == [1, 1, 1, 2, 2, 2]
    first = folds[folds.repeat == 1].set_index("patient_id").fold
    assert first[patients].tolist() == faces.folds.tolist()
    rows = pd.Index(photos.photo_id).get_indexer(faces.photo_ids)
    assert np.array_equal(faces.codes, codes[rows])
    # Two SD, of 2, along the own fold's axis; the other fold's does not count.
    assert faces.steps.reshape(6, 6).argmax(axis=1).tolist() == faces.folds.tolist()
    edited = moved(faces.codes, faces.steps)
    assert faces.risks(edited) == pytest.approx(np.tile([-2, -1, 0, 1, 2], (6, 1)))
    # Of the fold without a model nobody is shown.
    one = FoldDirections((2, 3), 1, {2: by_fold[2]}, None)
    faces = heldout.held_out_faces(tmp_path / "latents.npz", photos, folds, one, 6, 0)
    assert set(faces.folds) == {2} and len(faces.codes) == 5


def test_photos_of_faces_and_means_of_the_photos_that_a_fold_was_trained_on(tmp_path):
    folds, photos = cohort()
    first = folds[folds.repeat == 1]
    codes = np.zeros((20, 2, 3), np.float32)
    np.savez(tmp_path / "latents.npz", photo_ids=photos.photo_id.to_numpy(str), codes=codes)
    images = np.broadcast_to(np.arange(20, dtype=np.uint8)[:, None, None, None], (20, 4, 4, 3))
    save_rows(tmp_path / "x.npz", 20, photo_ids=photos.photo_id.to_numpy(str), images=iter(images))
    by_fold = dict.fromkeys((1, 2), Direction(np.eye(6)[0], np.eye(6)[0], np.zeros(6), 1.0))
    directions = FoldDirections((2, 3), 1, by_fold, None)
    faces = heldout.held_out_faces(tmp_path / "latents.npz", photos, first, directions, 3, 0)
    rows = pd.Index(photos.photo_id).get_indexer(faces.photo_ids)
    shown = heldout.aligned_photos(tmp_path / "x.npz", faces.photo_ids)
    assert shown[:, 0, 0, 0].tolist() == rows.tolist()
    means = heldout.mean_training_photos(tmp_path / "x.npz", faces)
    # Patients 1, 3 ... are of fold 2, whose photos are 2, 3, 6, 7 ...; their mean is 10.5.
    assert means[1][0, 0, 0] in (10, 11) and means[2][0, 0, 0] in (8, 9)


def test_a_subset_keeps_its_directions():
    directions = [Direction(np.eye(2)[0] * k, np.eye(2)[0], np.zeros(2), 1.0) for k in (1, 2, 3)]
    arrays = np.array(list("abc")), np.arange(6.0).reshape(3, 1, 2), np.array([1, 2, 1])
    some = heldout.HeldOut(*arrays, directions, None, None).subset([2, 0])
    assert some.photo_ids.tolist() == ["c", "a"] and some.folds.tolist() == [1, 1]
    assert some.codes[0, 0].tolist() == [4, 5] and some.directions[0].beta[0] == 3
