"""Quality control (QC) of reconstructions.

A code that misses the patient's face carries no information about the patient. The config decides
whether photos that fail QC are excluded or only listed.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

MEASURES = ("psnr", "psnr_face", "ssim", "perceptual", "identity", "landmark_drift", "score")
NO_FACE = "reconstruction: no face is found in it"


@dataclass(frozen=True)
class Gate:
    """Least PSNR inside the face in dB, and largest drift of eyes and mouth as a fraction of the
    crop's width (a face must be detected for that); None for no such limit. `action` is ``keep`` or
    ``leave out``."""

    action: str
    psnr_face: float | None
    landmark_drift: float | None

    @property
    def leaves_out(self) -> bool:
        return self.action == "leave out"

    def reason(self, psnr_face: float, landmark_drift: float) -> str | None:
        """Why a reconstruction fails QC, for the table of exclusions; None if it passes.
        ``landmark_drift`` is NaN where no face was detected."""
        if self.landmark_drift is not None:
            if np.isnan(landmark_drift):
                return NO_FACE
            if landmark_drift > self.landmark_drift:
                limit = f"{100 * self.landmark_drift:g} %"
                return f"reconstruction: eyes and mouth moved by more than {limit} of the crop"
        if self.psnr_face is not None and psnr_face < self.psnr_face:
            return f"reconstruction: less than {self.psnr_face:g} dB inside the face"
        return None


def quality_control(measures: pd.DataFrame, gate: Gate) -> pd.DataFrame:
    """The photos' ``measures`` with ``used`` (1 or 0) and ``reason``; where the gate only lists, a
    photo that fails has a reason and is used."""
    pairs = zip(measures.psnr_face, measures.landmark_drift, strict=True)
    reasons = [gate.reason(*pair) for pair in pairs]
    used = [int(reason is None or not gate.leaves_out) for reason in reasons]
    return measures.assign(used=used, reason=reasons)


def worst_of_each(table: pd.DataFrame, photos: pd.DataFrame) -> pd.Series:
    """By patient_id, the PSNR inside the face of the patient's worst photo in use."""
    used = table[table.used == 1].merge(photos[["photo_id", "patient_id"]])
    return used.groupby("patient_id").psnr_face.min()
