"""Masking photo by photo through the store, and what other views cost the tiny cohort."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from PIL import Image
from tiny import planned

import mask_photos
from facies.common.store import Store, digest


@pytest.fixture
def shard(tmp_path):
    """Run the rule's script on photos by name; returns what it said and its manifest."""
    store = Store(tmp_path / "store")
    Image.new("RGB", (16, 16), "red").save(tmp_path / "red.png")
    Image.new("RGB", (16, 16), "blue").save(tmp_path / "blue.png")

    def run(photos, view="face", fill="red"):
        items = {"blurred": {"key": "0", "reason": "no face found"}}
        for photo in photos:
            key = digest(photo)
            items[photo] = {"key": key, "reason": None}
            if not store.has("aligned", key):
                image = np.full((16, 16, 3), len(photo), np.uint8)
                store.save("aligned", key, image=image, regions=np.full((16, 16), 4, np.uint8))
        (tmp_path / "in.json").write_text(json.dumps({"items": items}))
        job = SimpleNamespace(
            wildcards=SimpleNamespace(view=view),
            input=SimpleNamespace(aligned=tmp_path / "in.json", fill=tmp_path / f"{fill}.png"),
            output=SimpleNamespace(manifest=tmp_path / "out.json"),
            params=SimpleNamespace(store=tmp_path / "store", code="1"),
        )
        mask_photos.main(job)
        return json.loads((tmp_path / "out.json").read_text())["items"]

    run.store = store
    return run


def test_one_added_photo_costs_one_mask(shard, capsys):
    first = shard(["a", "bb"])
    assert "2 of 3 photos masked" in capsys.readouterr().out
    second = shard(["a", "bb", "ccc"])
    assert "1 of 4 photos masked" in capsys.readouterr().out
    assert {photo: second[photo] for photo in first} == first
    assert shard(["a", "bb", "ccc"]) == second
    assert "0 of 4" in capsys.readouterr().out


def test_masked_photos_keep_their_names_and_reasons_but_not_their_pixels(shard):
    masked = shard(["a"])
    assert masked["blurred"] == {"key": "0", "reason": "no face found"}
    item = shard.store.load("aligned", masked["a"]["key"])
    assert (item["image"] == (255, 0, 0)).all()  # a photo of nothing but background
    shown = shard.store.load("aligned", shard(["a"], "background")["a"]["key"])
    assert (shown["image"] == 1).all()


def test_the_view_and_the_fill_are_part_of_a_masks_name(shard):
    keys = {
        shard(["a"], view, fill)["a"]["key"]
        for view in ("face", "body")
        for fill in ("red", "blue")
    }
    assert len(keys) == 4


def reliance_config(folder):
    """The tiny cohort's settings with a control, a cover and swapped backgrounds."""
    config = yaml.safe_load((folder / "tiny.yaml").read_text())
    config["controls"] = ["background"]
    config["reliance"] = {"cover": ["face"], "swap": True}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))


def test_what_views_covers_and_swaps_cost(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    reliance_config(copy)
    assert planned(copy, "results/reliance/reliance.json") == {
        "mask_photos": 8,  # a control and the three covers of a region, of two shards
        "swap_backgrounds": 1,
        "project_photos": 10,
        "merge_latents": 4,
        "fit_model": 2,
        "judge_reliance": 1,
        "total": 26,
    }
