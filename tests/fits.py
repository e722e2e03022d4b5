"""A fold's fit of which a test needs only a part."""

from facies.survival.fits import FoldFit

PARTS = ("inner_oof_risk", "test_risk", "times", "survival", "train_ids", "test_ids")


def fold_fit(**given) -> FoldFit:
    """The fit of ridge Cox of the face in the first fold, unless ``given`` otherwise."""
    names = {"features": "face", "view": "full", "generator": "cohort", "model": "coxph"}
    numbers = {"repeat": 1, "fold": 1, "chosen": {}}
    return FoldFit(**dict.fromkeys(PARTS) | names | numbers | given)
