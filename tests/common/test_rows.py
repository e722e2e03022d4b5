"""Arrays of a whole cohort: the same files as numpy's, without holding them in memory."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import ROOT

import merge_aligned
import merge_latents
from facies.common.rows import Rows, blocks, mean_picture, save_rows
from facies.common.store import Store, write_manifest
from facies.generator.tuning import Photos


def test_the_file_is_the_one_that_numpy_writes(tmp_path):
    arrays = {"ids": np.array(["a", "bcd"]), "x": np.arange(12, dtype="<f4").reshape(2, 3, 2)}
    np.savez(tmp_path / "whole.npz", **arrays)
    save_rows(tmp_path / "rows.npz", 2, ids=arrays["ids"], x=iter(arrays["x"]))
    assert (tmp_path / "rows.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


@pytest.mark.parametrize("rows", [[1.0], [1.0, 2.0, 3.0], [1.0, np.zeros(2)], [1.0, 2]])
def test_rows_that_do_not_fit_are_refused(tmp_path, rows):
    with pytest.raises(ValueError):
        save_rows(tmp_path / "rows.npz", 2, x=iter(rows))


def test_rows_are_asked_for_as_of_an_array(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (7, 4, 4, 3), np.uint8)
    np.savez(tmp_path / "x.npz", y=np.arange(3), x=x, columns=np.asfortranarray(x))
    rows = Rows(tmp_path / "x.npz", "x")
    assert (len(rows), rows.shape, rows.dtype) == (7, x.shape, x.dtype)
    for wanted in (slice(2, 5), slice(0, 0), [6, 0, 0], np.arange(7) % 2 == 0, np.array([-1])):
        assert type(rows[wanted]) is np.ndarray and np.array_equal(rows[wanted], x[wanted])
    assert np.array_equal(Rows(tmp_path / "x.npz", "columns")[[3]], x[[3]])
    with pytest.raises(IndexError):
        rows[[7]]
    some = Rows(tmp_path / "x.npz", "x", np.array([5, 1]))
    assert some.shape == (2, 4, 4, 3)
    assert np.array_equal(some[:], x[[5, 1]])


def test_a_compressed_or_shortened_file_is_refused(tmp_path):
    x = np.zeros((200, 50))
    np.savez_compressed(tmp_path / "packed.npz", x=x)
    with pytest.raises(ValueError, match="magic"):
        Rows(tmp_path / "packed.npz", "x")
    np.savez(tmp_path / "x.npz", x=x)
    rows = Rows(tmp_path / "x.npz", "x")
    with open(tmp_path / "x.npz", "r+b") as file:
        file.truncate(40_000)
    with pytest.raises(ValueError, match="mmap length"):
        rows[:1]


def test_blocks_are_all_chosen_rows_in_order(monkeypatch):
    monkeypatch.setattr("facies.common.rows.BLOCK", 2)
    found = list(blocks(np.arange(7) * 10, np.array([True] * 4 + [False, True, False])))
    assert [block.tolist() for block in found] == [[0, 10], [20, 30], [50]]


def test_mean_picture_of_the_chosen_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("facies.common.rows.BLOCK", 2)
    x = np.full((4, 2, 2, 3), [[[[10]]], [[[21]]], [[[30]]], [[[200]]]], np.uint8)
    np.savez(tmp_path / "x.npz", x=x)
    mean = mean_picture(Rows(tmp_path / "x.npz", "x"), np.array([0, 1, 2]))
    assert mean.dtype == np.uint8 and (mean == 20).all()  # 61 / 3, cut off
    assert (mean_picture(x) == 65).all()


def test_tuning_sees_its_own_photos(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (5, 2, 2, 3), np.uint8)
    np.savez(tmp_path / "x.npz", images=x)
    photos = Photos(Rows(tmp_path / "x.npz", "images"), np.array([1, 3, 4]))
    assert len(photos) == 3
    assert np.array_equal(photos[torch.tensor([2, 0])], x[[4, 1]].transpose(0, 3, 1, 2))


def test_merged_columns_are_those_of_the_items(tmp_path):
    store, random = Store(tmp_path / "store"), np.random.default_rng(0)
    items = {}
    for name in ("b", "a", "c"):
        items[name] = {column: random.normal(size=1) for column in merge_latents.MEASURES}
        items[name] |= {"codes": random.normal(size=(2, 3)), "image": random.normal(size=(4, 4, 3))}
        store.save("latents", name * 4, **items[name])
    (tmp_path / "aligned.csv").write_text("photo_id,used\nb,1\na,1\nc,0\n")
    write_manifest(tmp_path / "0.json", {name: {"key": name * 4} for name in items})
    job = SimpleNamespace(
        input=SimpleNamespace(manifests=[tmp_path / "0.json"], aligned=tmp_path / "aligned.csv"),
        output=SimpleNamespace(latents=tmp_path / "merged.npz"),
        params=SimpleNamespace(store=store.root),
    )
    merge_latents.main(job)
    merged = np.load(tmp_path / "merged.npz")
    assert merged["photo_ids"].tolist() == ["a", "b"]
    for column, own in {"images": "image", "codes": "codes", "psnr": "psnr"}.items():
        assert np.array_equal(merged[column], [items["a"][own], items["b"][own]])


WHOLE = {"reason": None, "seen_eyes": 1, "seen_lower": 1, "seen_half": 1, "yaw_degrees": 0}


def test_a_covered_photo_that_is_used_is_marked(tmp_path):
    store = Store(tmp_path / "store")
    metas = {
        "a": WHOLE,
        "b": WHOLE | {"yaw_degrees": -40},
        "c": WHOLE | {"reason": "no face found"},
    }
    for name, meta in metas.items():
        own = {"image": np.zeros((4, 4, 3), np.uint8), "quad": np.zeros((4, 2))}
        store.save("aligned", name * 4, meta=json.dumps(meta), **own)
    places = {name: {"key": name * 4, "reason": meta["reason"]} for name, meta in metas.items()}
    write_manifest(tmp_path / "0.json", places)
    photos, patients = tmp_path / "photos.csv", tmp_path / "patients.csv"
    photos.write_text("photo_id,patient_id\na,1\nb,1\nc,1\n")
    patients.write_text("patient_id,event\n1,1\n")
    job = SimpleNamespace(
        input=SimpleNamespace(manifests=[tmp_path / "0.json"], photos=photos, patients=patients),
        output=SimpleNamespace(table=tmp_path / "merged.csv", photos=tmp_path / "merged.npz"),
        params=SimpleNamespace(store=store.root),
        wildcards=SimpleNamespace(view="face"),
    )
    merge_aligned.main(job)
    covered = pd.read_csv(tmp_path / "merged.csv").covered.fillna("").tolist()
    assert covered == ["", "the head is turned by more than 35 degrees", ""]


MEMORY = """
import re, sys
from types import SimpleNamespace as Job
sys.path.insert(0, sys.argv[1])
import merge_aligned, merge_latents
from facies.common.rows import Rows, blocks

# Not ru_maxrss, which begins with the peak of whoever started this.
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024
params = Job(store="store")
tables = dict(photos="photos.csv", patients="patients.csv")
merge_aligned.main(Job(
    input=Job(manifests=["aligned.json"], **tables),
    output=Job(table="aligned.csv", photos="aligned.npz"), params=params,
))
merge_latents.main(Job(
    input=Job(manifests=["latents.json"], aligned="aligned.csv"),
    output=Job(latents="latents.npz"), params=params,
))
for block in blocks(Rows("aligned.npz", "images")):
    block.max()
print(peak())
"""


def peak_memory(folder, photos: int) -> tuple[int, float]:
    """Peak MB of merging and of reading what was merged, and MB of the merged files."""
    folder.mkdir()
    store, random = Store(folder / "store"), np.random.default_rng(0)
    image = random.integers(0, 256, (256, 256, 3), np.uint8)
    quad = np.zeros((4, 2))
    store.save("aligned", "abcd", image=image, quad=quad, meta=json.dumps(WHOLE))
    scores = dict.fromkeys(merge_latents.MEASURES, 1.0)
    store.save("latents", "abcd", image=image, codes=np.zeros((14, 512), "f4"), **scores)
    ids = [f"P{i:05d}" for i in range(photos)]
    write_manifest(folder / "aligned.json", {i: {"key": "abcd", "reason": None} for i in ids})
    write_manifest(folder / "latents.json", {i: {"key": "abcd"} for i in ids})
    # One of them is the cohort's: copies within it would be left out.
    (folder / "photos.csv").write_text(f"photo_id,patient_id\n{ids[0]},1\n")
    (folder / "patients.csv").write_text("patient_id,event\n1,1\n")
    command = [sys.executable, "-c", MEMORY, str(ROOT / "workflow/scripts")]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    size = sum((folder / name).stat().st_size for name in ("aligned.npz", "latents.npz"))
    return int(run.stdout.splitlines()[-1]), size / 2**20


def test_memory_does_not_grow_with_the_cohort(tmp_path):
    small, small_files = peak_memory(tmp_path / "small", 128)
    large, large_files = peak_memory(tmp_path / "large", 640)
    assert large_files - small_files > 200
    assert large - small < 30
