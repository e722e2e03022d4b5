"""The feature sets that models are fitted on, and the ways to fuse them.

Another one is an entry here and its name in the config's schema. The rules read this too: it
imports nothing that takes time.
"""

from dataclasses import dataclass, field, replace


def _fit(features="{features}", generator="{generator}") -> str:
    """Pattern of the files of fits."""
    return f"fits/{generator}/{{view}}/{features}/{{model}}/{{repeat}}-{{fold}}.npz"


FIT, FACE_FIT = _fit(), _fit("face")
CLINICAL_FIT = _fit("clinical", "cohort")  # clinical fits depend on no generator
LATENTS = "latents/{generator}/{view}.npz"


@dataclass(frozen=True)
class FeatureSet:
    """``inputs`` are its files among the results, {generator} being that of the fit.

    ``array`` names that of the photos in the first input, seen as a PhotoDesign with ``limits``;
    without one the inputs are fits of the same fold: the risk of one becomes a clinical column,
    and those of several are averaged. ``clinical`` sets cannot do without clinical columns.
    ``compared_with`` are sets to whose scores those of this one are compared.
    """

    colour: str
    inputs: tuple[str, ...] = ()
    array: str = ""
    limits: dict = field(default_factory=dict)
    clinical: bool = False
    compared_with: tuple[str, ...] = ()

    @property
    def by_generator(self) -> bool:
        """Whether a generator of each fold would change it."""
        return any("{generator}" in path for path in self.inputs)


FEATURES = {
    "face": FeatureSet("#b2452f", (LATENTS,), "codes", compared_with=("pixels", "discriminator")),
    "clinical": FeatureSet("#3a6ea5", clinical=True),
    "fused": FeatureSet("#6b4c9a", clinical=True, compared_with=("clinical",)),
    "pixels": FeatureSet(
        "#8a8a8a", ("aligned/{view}.npz",), "images", {"metrics": ("plain",), "rank": 60}
    ),
    "discriminator": FeatureSet("#b58b3c", ("discriminator/{generator}/{view}.npz",), "features"),
}
FUSIONS = {
    "stack": replace(FEATURES["fused"], inputs=(FACE_FIT,)),
    "joint": replace(FEATURES["fused"], inputs=(LATENTS,), array="codes"),
    "average": replace(FEATURES["fused"], inputs=(FACE_FIT, CLINICAL_FIT)),
}
# Models that have one row of scores: the convolutional network sees pixels, and nothing else does
# what it does; the null model sees nothing, and stands with the last of the features.
SINGLE = {"cnn": "pixels", "kaplanmeier": None}


def feature_sets(fusion: str) -> dict[str, FeatureSet]:
    """All of them by name, face and clinical data being fused by ``fusion``."""
    return FEATURES | {"fused": FUSIONS[fusion]}
