import hashlib
import os

import numpy as np
import pytest

from facies.common.errors import InputError
from facies.common.store import Store, digest, file_digest, read_manifests, shard_of, write_manifest


def test_digest_keeps_parts_apart():
    assert digest("ab", "c") != digest("a", "bc")
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest(b"x") != digest("x")


def test_a_pipe_and_a_device_are_refused_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(OSError, match="not a regular file"):
            file_digest(path)
    (tmp_path / "file").write_bytes(b"abc")
    assert file_digest(tmp_path / "file").startswith("ba7816bf 8f01cfea".replace(" ", ""))


def test_shard_depends_on_the_photo_alone():
    shards = [shard_of(f"P{i}", 4) for i in range(1000)]
    assert [shard_of(f"P{i}", 4) for i in range(1000)] == shards
    assert all(200 < shards.count(s) < 300 for s in range(4))


def test_a_cohort_that_was_split_by_the_hash_of_its_ids_fills_all_shards():
    even = [i for i in map(str, range(2000)) if hashlib.sha256(i.encode()).digest()[-1] % 2 == 0]
    shards = [shard_of(i, 4) for i in even]
    assert all(len(even) / 5 < shards.count(s) < len(even) * 3 / 10 for s in range(4))


def test_round_trip_and_closed_folder(tmp_path):
    store = Store(tmp_path / "store")
    store.save("aligned", "abcd", image=np.arange(6).reshape(2, 3), meta="words")
    item = store.load("aligned", "abcd")
    assert item["image"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert str(item["meta"]) == "words"
    assert os.stat(store.path("aligned", "abcd").parent).st_mode & 0o077 == 0


def test_damaged_item_counts_as_missing(tmp_path):
    store = Store(tmp_path)
    store.save("aligned", "abcd", image=np.zeros(1000))
    path = store.path("aligned", "abcd")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert not store.has("aligned", "abcd")
    path.write_bytes(whole[:500] + b"\x01" + whole[501:])
    assert not store.has("aligned", "abcd")
    assert not store.has("aligned", "none")


def test_no_temporary_file_is_left(tmp_path):
    store = Store(tmp_path)
    store.save("aligned", "abcd", image=np.zeros(3))
    assert [p.name for p in store.path("aligned", "abcd").parent.iterdir()] == ["abcd.npz"]


def test_an_emptied_store_says_what_to_do(tmp_path):
    with pytest.raises(
        InputError, match="aligned photos are missing or corrupt: delete the results"
    ):
        Store(tmp_path).load("aligned", "ab" * 32)


def test_an_item_damaged_behind_the_results_says_what_to_do(tmp_path):
    store = Store(tmp_path)
    store.save("latents", "abcd", codes=np.zeros(1000), psnr=np.ones(1))
    assert list(store.load("latents", "abcd", "psnr")) == ["psnr"]
    path = store.path("latents", "abcd")
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:500] + b"\x01" + whole[501:], b""):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="delete the results, and run again"):
            store.load("latents", "abcd")


def test_manifests_of_shards_become_one(tmp_path):
    write_manifest(tmp_path / "0.json", {"a": {"key": "k"}})
    write_manifest(tmp_path / "1.json", {"b": {"key": "l"}})
    paths = [tmp_path / "0.json", tmp_path / "1.json"]
    assert read_manifests(paths) == {"a": {"key": "k"}, "b": {"key": "l"}}
