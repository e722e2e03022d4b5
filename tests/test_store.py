import os

import numpy as np
import pytest

from facies.errors import InputError
from facies.store import Store, digest, shard_of


def test_digest_keeps_parts_apart():
    assert digest("ab", "c") != digest("a", "bc")
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest(b"x") != digest("x")


def test_shard_depends_on_the_photo_alone():
    shards = [shard_of(f"P{i}", 4) for i in range(1000)]
    assert [shard_of(f"P{i}", 4) for i in range(1000)] == shards
    assert all(200 < shards.count(s) < 300 for s in range(4))


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
    with pytest.raises(InputError, match="lacks aligned photos.*deletes the results too"):
        Store(tmp_path).load("aligned", "ab" * 32)
