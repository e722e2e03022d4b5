"""The flow of photos and patients through the study."""

import pandas as pd

from facies.statistics.kaplan_meier import median_follow_up
from facies.statistics.outcome import Outcome


def flow_summary(flow, photos, patients, used, aligned, gate) -> dict:
    """Counts of photos and patients, and everything left out with its reason.

    ``flow`` is check_cohort's account; ``photos`` and ``patients`` are what it let through;
    ``used`` are the patients with folds, ``aligned`` the photos' table of alignment, which also
    has the photos that check_cohort left out, and so may ``gate``, the photos' table of
    reconstructions.
    """
    tables = (table[table.photo_id.isin(photos.photo_id)] for table in (aligned, gate))
    faceless = pd.concat([table[table.used != 1] for table in tables])
    photoless = patients[~patients.patient_id.isin(used.patient_id)]
    excluded = list(flow["excluded"])
    excluded += faceless[["photo_id", "reason"]].to_dict("records")
    excluded += [
        {"patient_id": patient, "reason": "no usable photo"} for patient in photoless.patient_id
    ]
    return {
        "photos_in": flow["photos_in"],
        "photos_used": len(photos) - len(faceless),
        "patients_in": flow["patients_in"],
        "patients_used": len(used),
        "events": int(used.event.sum()),
        "follow_up": median_follow_up(Outcome.of(used)),
        "excluded": excluded,
        "notes": flow.get("notes", []),
    }
