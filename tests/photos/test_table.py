"""Rows of the table of alignment by hand."""

import json

import numpy as np

from facies.common.store import Store
from facies.photos.table import alignment_rows, exclusions


def test_every_photo_has_a_row_and_a_used_one_its_quad(tmp_path):
    store = Store(tmp_path)
    quad = np.array([[0, 0], [0, 1.239], [1, 1], [1, 0]], np.float32)
    seen = {"seen_eyes": 1.0, "seen_lower": 1.0, "seen_half": 1.0, "yaw_degrees": 0.0}
    store.save("aligned", "1", meta=json.dumps({"reason": None, "yaw": 0.5} | seen), quad=quad)
    store.save("aligned", "2", meta=json.dumps({"reason": "no face found"}))
    items = {
        "b": {"key": "1", "reason": None},
        "c": {"key": "1", "reason": "duplicate"},
        "a": {"key": "2", "reason": "no face found"},
    }
    first, second, third = alignment_rows(items, store)
    assert first == {"photo_id": "a", "used": 0, "reason": "no face found"}
    assert (second["used"], second["yaw"], second["covered"]) == (1, 0.5, None)
    assert second["quad_3"] == 1.24 and "quad_7" in second
    # The store knows nothing of a duplicate: its reason is that of the cohort.
    assert (third["used"], third["reason"]) == (0, "duplicate") and "quad_0" not in third


def test_frequent_reasons_come_first():
    reasons = ["a"] * 3 + ["b"] * 2 + ["c", "d", None]
    text = exclusions([{"reason": reason} for reason in reasons])
    assert text.splitlines() == [
        "7 of 8 photos left out",
        "     3  a",
        "     2  b",
        "     1  c",
        "        ...",
    ]
