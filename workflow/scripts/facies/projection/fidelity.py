"""How much of a photo its reconstruction keeps, and whether a face is detected in it."""

from pathlib import Path

import numpy as np
import torch

from facies.generator.pictures import to_tensor
from facies.photos.alignment import face_mask, find_again, landmark_drift
from facies.photos.detection import FaceDetector
from facies.projection.likeness import Likeness
from facies.projection.quality import psnr, ssim

GREY = 128  # in place of what is no face


class Fidelity:
    """Measures reconstructions one by one, so that no photo's figures depend on another's.

    `detector` is the folder of the face models.
    """

    def __init__(self, detector: str | Path, perceptual: Likeness, identity: Likeness, device: str):
        self.detector = FaceDetector(detector)
        self.perceptual, self.identity, self.device = perceptual, identity, device

    def __call__(self, aligned: dict, reconstruction: np.ndarray) -> dict[str, np.float32]:
        """Figures of a reconstruction (r, r, 3) of an aligned photo with its regions and landmarks.

        Drift is NaN and the detector's score 0 where no face is detected in it.
        """
        photo, inside = aligned["image"], face_mask(aligned["regions"])
        face = find_again(self.detector, reconstruction)
        both = photo, reconstruction
        faces = (np.where(inside[..., None], x, GREY).astype(np.uint8) for x in both)
        figures = {
            "psnr": psnr(photo, reconstruction),
            "psnr_face": psnr(photo, reconstruction, inside if inside.any() else None),
            "ssim": ssim(photo, reconstruction),
            "perceptual": self._apart(self.perceptual, *both),
            "identity": self._apart(self.identity, *faces),
            "landmark_drift": landmark_drift(face, aligned["landmarks"], len(reconstruction)),
            "score": face.score if face else 0.0,
        }
        return {name: np.float32(value) for name, value in figures.items()}

    @torch.no_grad()
    def _apart(self, likeness: Likeness, *pictures: np.ndarray) -> float:
        a, b = (likeness.embed(to_tensor(x[None]).to(self.device)) for x in pictures)
        return likeness.distance(a, b).item()
