import pandas as pd

import merge_aligned


def test_copies_are_left_out_before_they_reach_a_fold():
    items = {
        photo: {"key": key, "reason": reason}
        for photo, key, reason in [
            ("a", "1", None),
            ("b", "1", None),  # the same patient's
            ("c", "2", None),
            ("d", "2", None),  # another patient's
            ("e", "3", None),
            ("f", "4", "no face"),
            ("g", "4", "no face"),
            ("h", "3", None),  # not in the cohort
        ]
    }
    owners = {"a": "1", "b": "1", "c": "2", "d": "3", "e": "4", "f": "5", "g": "6"}
    photos = pd.DataFrame({"photo_id": list(owners), "patient_id": list(owners.values())})
    merge_aligned.refuse_copies(items, photos)
    reasons = {photo: item["reason"] for photo, item in items.items()}
    assert reasons == {
        "a": None,
        "b": merge_aligned.TWICE,
        "c": merge_aligned.SHARED,
        "d": merge_aligned.SHARED,
        "e": None,
        "f": "no face",
        "g": "no face",
        "h": None,
    }
