"""A shard's job that is killed, and what others' photos do to a photo's code."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from names import Names

import project_photos
from facies.common.store import Store

SETTINGS = {"steps": 4, "batch": 4, "face_weight": 0, "precision": "float32"}

RUN = """
import json, sys
from types import SimpleNamespace
sys.path[:0] = sys.argv[1:3]
import project_photos
class Named(dict):
    __getattr__ = dict.__getitem__
job = json.loads(sys.argv[3])
project_photos.main(SimpleNamespace(**{k: Named(v) if isinstance(v, dict) else v
                                       for k, v in job.items()}))
"""


@pytest.fixture
def job(road, tmp_path):
    """A shard's job of the tiny cohort with a store of its own, which knows the crops alone."""
    shutil.copytree(road / "store/aligned", tmp_path / "store/aligned")
    detector = [str(path) for path in sorted((road / "resources/detector").glob("*.tflite"))]
    return {
        "input": {
            "aligned": str(road / "results/aligned/full/0.json"),
            "checkpoint": str(road / "results/generator/cohort/generator.safetensors"),
            "perception": str(road / "resources/perception.safetensors"),
            "named": [],
            "detector": detector,
        },
        "output": {"manifest": str(tmp_path / "manifest.json")},
        "params": {
            "settings": SETTINGS,
            "named": {},
            "store": str(tmp_path / "store"),
            "code": "code",
        },
        "threads": 1,
    }


def main(job, **changes):
    """Run the script; returns the items by photo, as bytes of the store's files."""
    job = job | {name: job[name] | change for name, change in changes.items()}
    named = {name: Names(v) if isinstance(v, dict) else v for name, v in job.items()}
    project_photos.main(SimpleNamespace(**named))
    store = Store(job["params"]["store"])
    with open(job["output"]["manifest"]) as file:
        items = json.load(file)["items"]
    return {photo: store.path("latents", i["key"]).read_bytes() for photo, i in items.items()}


def test_kill_in_the_middle_of_a_shard_costs_nothing_but_time(job, tmp_path):
    scripts = os.path.dirname(project_photos.__file__)
    done = tmp_path / "store/latents"
    words = [sys.executable, "-c", RUN, scripts, scripts, json.dumps(job)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not list(done.rglob("*.npz")) and time.monotonic() < end:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = {path: path.stat().st_mtime_ns for path in done.rglob("*.npz")}
    with open(job["input"]["aligned"]) as file:
        items = json.load(file)["items"].values()
    assert 0 < len(kept) < sum(item["reason"] is None for item in items)
    resumed = main(job)
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    shutil.rmtree(done)
    assert main(job) == resumed


def test_a_photo_s_item_hangs_on_no_other_photo(job, tmp_path):
    whole = main(job)
    with open(job["input"]["aligned"]) as file:
        items = json.load(file)["items"]
    for number, chosen in enumerate((sorted(whole)[:1], sorted(whole)[::2], sorted(whole)[1:])):
        part = tmp_path / f"{number}.json"
        part.write_text(json.dumps({"items": {photo: items[photo] for photo in chosen}}))
        shutil.rmtree(tmp_path / "store/latents")
        assert main(job, input={"aligned": str(part)}) == {photo: whole[photo] for photo in chosen}


def test_an_item_holds_what_the_report_tells(job):
    main(job)
    store = Store(job["params"]["store"])
    with open(job["output"]["manifest"]) as file:
        keys = [item["key"] for item in json.load(file)["items"].values()]
    for key in keys:
        item = store.load("latents", key)
        assert item["codes"].dtype == np.float32
        assert item["perceptual"] > 0 and 0 <= item["identity"] <= 2
        # An untrained generator draws no face.
        assert np.isnan(item["landmark_drift"]) == (item["score"] == 0)


def test_settings_and_named_networks_belong_to_the_key(job):
    plain, other = main(job), main(job, params={"settings": SETTINGS | {"face_weight": 5}})
    assert plain.keys() == other.keys() and all(plain[photo] != other[photo] for photo in plain)
    shipped = job["input"]["perception"]
    changes = {"named": {"lpips": shipped, "identity": None}}
    named = main(job, params=changes, input={"named": [shipped]})
    assert all(plain[photo] != named[photo] for photo in plain)
