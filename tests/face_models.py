"""The published face models, which a machine without a network may lack."""

from pathlib import Path

import pytest

from facies.demo.portraits import Portrait
from facies.photos.detection import MODELS

FOLDER = Path(__file__).parents[1] / "resources" / "detector"
MISSING = not all((FOLDER / f"{name}.tflite").exists() for name in MODELS)
REASON = "the face models are not fetched: run `snakemake --cores 1 fetch_detector`"
needs_models = pytest.mark.skipif(MISSING, reason=REASON)
PERSON = Portrait(seed=1, light_x=0.2)
