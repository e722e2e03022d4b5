"""The table of alignment: a row for every photo, with what was measured, or why it is excluded."""

import json
from collections import Counter

import numpy as np

from facies.common.store import Store
from facies.photos.visibility import reason


def alignment_rows(items: dict, store: Store) -> list[dict]:
    """A row for each of the photos ``items`` (key, reason) by photo_id, in the order of the ids."""
    rows = []
    for photo_id, item in sorted(items.items()):
        measured = json.loads(str(store.load("aligned", item["key"], "meta")["meta"]))
        row = {"photo_id": photo_id, "used": int(item["reason"] is None)} | measured
        row["reason"] = item["reason"]
        if row["used"]:
            row["covered"] = reason(row)  # where the config keeps such photos
            quad = store.load("aligned", item["key"], "quad")["quad"]
            row |= {f"quad_{i}": round(float(v), 2) for i, v in enumerate(np.ravel(quad))}
        rows.append(row)
    return rows


def exclusions(rows: list[dict]) -> str:
    """How many photos were excluded, and the most frequent reasons."""
    reasons = Counter(row["reason"] for row in rows if row["reason"])
    lines = [f"{count:6d}  {reason}" for reason, count in reasons.most_common(3)]
    more = ["        ..."] if len(reasons) > 3 else []
    return "\n".join([f"{sum(reasons.values())} of {len(rows)} photos left out", *lines, *more])
