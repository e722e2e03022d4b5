"""Another hospital's photos as the bundle needs them: codes and measures, averaged per patient."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from facies.bundle.schema import MEASURES
from facies.common.errors import InputError
from facies.common.store import Store
from facies.projection.gate import Gate
from facies.survival.designs import patient_means

DUPLICATE = "duplicate image of the same patient; one was kept"
NOT_IN_SHEET = "its patient is not in the patients' sheet"
NO_PHOTO = "no usable photo: no risk of the face"


@dataclass(frozen=True)
class Usable:
    """Usable photos (m): codes (m, p), ``measures`` (m, k) in the order of MEASURES."""

    photo_ids: list[str]
    codes: np.ndarray
    measures: np.ndarray


def usable_photos(
    store: Store, aligned: dict, latents: dict, photos: pd.DataFrame, gate: Gate
) -> tuple[Usable, list[dict]]:
    """Photos of a table (photo_id, patient_id) that have a code, and the others with their reason.

    ``aligned`` and ``latents`` are the items of both steps by photo_id. Raises InputError where no
    photo can be used.
    """
    codes, measures, used, excluded, seen = [], [], [], [], set()
    for row in photos.itertuples():
        crop = aligned[row.photo_id]
        reason = crop["reason"]
        if not reason and (row.patient_id, crop["key"]) in seen:
            reason = DUPLICATE
        if not reason:
            item = store.load(
                "latents", latents[row.photo_id]["key"], "codes", *MEASURES["latents"]
            )
            reason = gate.leaves_out and gate.reason(item["psnr_face"], item["landmark_drift"])
        if reason:
            excluded.append({"photo_id": row.photo_id, "reason": reason})
            continue
        seen.add((row.patient_id, crop["key"]))
        meta = json.loads(str(store.load("aligned", crop["key"], "meta")["meta"]))
        codes.append(item["codes"].ravel())
        measures.append(
            [meta[name] for name in MEASURES["aligned"]]
            + [float(item[name]) for name in MEASURES["latents"]]
        )
        used.append(row.photo_id)
    if not used:
        raise InputError(f"none of {len(photos)} photos can be used: {excluded[0]['reason']}")
    return Usable(used, np.array(codes), np.array(measures)), excluded


def average_photos(
    usable: Usable, photos: pd.DataFrame, patients: pd.Index
) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """Mean codes (n, p) and measures (n, k) of ``patients`` (n,), NaN for those without a photo,
    and whom and what this leaves out, with the reason.

    Raises InputError where no photo is of one of the patients.
    """
    owner = patients.get_indexer(photos.set_index("photo_id").patient_id.loc[usable.photo_ids])
    excluded = [
        {"photo_id": photo, "reason": NOT_IN_SHEET}
        for photo, row in zip(usable.photo_ids, owner, strict=True)
        if row < 0
    ]
    listed = owner >= 0
    if not listed.any():
        raise InputError("no photo of its patients can be used")
    codes = patient_means(usable.codes[listed], owner[listed], len(patients))
    measures = patient_means(usable.measures[listed], owner[listed], len(patients))
    without = patients[np.isnan(codes).any(1)]
    excluded += [{"patient_id": patient, "reason": NO_PHOTO} for patient in without]
    return codes, measures, excluded
