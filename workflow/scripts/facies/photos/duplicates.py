"""Duplicate images, which must not stand in training and in test."""

import pandas as pd

DUPLICATE = "duplicate image of another photo_id; one of them was kept"
CONTRADICTION = (
    "duplicate image of another patient, one dead and one alive; find out whose photo it is"
)


def exclude_duplicates(items: dict, photos: pd.DataFrame, patients: pd.DataFrame) -> None:
    """Give a reason to photos of the cohort that are the same file as another one.

    ``items`` are the usable and excluded photos by photo_id, each with ``key`` and ``reason``. Two
    patients with one picture are mostly one person with two ids, who would be in training and in
    test. Where their outcomes contradict each other, neither can be trusted.
    """
    usable = photos.merge(patients[["patient_id", "event"]])
    usable = usable[usable.photo_id.map(lambda photo: items[photo]["reason"] is None)]
    for _, same in usable.groupby(usable.photo_id.map(lambda photo: items[photo]["key"])):
        agree = same.event.nunique() == 1
        for photo in sorted(same.photo_id)[1:] if agree else same.photo_id:
            items[photo]["reason"] = DUPLICATE if agree else CONTRADICTION
