import pandas as pd

from facies.photos.duplicates import CONTRADICTION, DUPLICATE, exclude_duplicates


def test_duplicates_are_excluded_before_they_reach_a_fold():
    items = {
        photo: {"key": key, "reason": reason}
        for photo, key, reason in [
            ("a", "1", None),
            ("b", "1", None),  # the same patient's
            ("c", "2", None),
            ("d", "2", None),  # a patient's who is alive
            ("i", "5", None),
            ("j", "5", None),  # a patient's who died as well
            ("e", "3", None),
            ("f", "4", "no face"),
            ("g", "4", "no face"),
            ("h", "3", None),  # not in the cohort
        ]
    }
    owners = {
        "a": "1",
        "b": "1",
        "c": "2",
        "d": "3",
        "e": "4",
        "f": "5",
        "g": "6",
        "i": "7",
        "j": "8",
    }
    photos = pd.DataFrame({"photo_id": list(owners), "patient_id": list(owners.values())})
    patients = pd.DataFrame({"patient_id": list("12345678"), "event": [1, 0, 1, 1, 1, 1, 1, 1]})
    exclude_duplicates(items, photos, patients)
    reasons = {photo: item["reason"] for photo, item in items.items()}
    assert reasons == {
        "a": None,
        "b": DUPLICATE,
        "c": CONTRADICTION,
        "d": CONTRADICTION,
        "e": None,
        "f": "no face",
        "g": "no face",
        "h": None,
        "i": None,
        "j": DUPLICATE,
    }
