"""Which patients' faces are looked at: always as the fold that held them out sees them."""

import dataclasses

import numpy as np
import pandas as pd

from facies.common.rows import Rows, mean_picture
from facies.explanation.direction import Direction, FoldDirections
from facies.survival.designs import photo_owners


def photo_codes(latents: str, photos: pd.DataFrame, ids) -> tuple[pd.DataFrame, tuple]:
    """Codes of the patients' photos, a row each under (patient_id, photo_id), and their shape."""
    with np.load(latents, allow_pickle=False) as file:
        codes, photo_ids = file["codes"].astype(np.float64), file["photo_ids"]
    rows, owner = photo_owners(photo_ids, photos, ids)
    names = ("patient_id", "photo_id")
    index = pd.MultiIndex.from_arrays([np.asarray(ids)[owner], photo_ids[rows]], names=names)
    return pd.DataFrame(codes[rows].reshape(len(owner), -1), index=index), codes.shape[1:]


def choose_faces(folds: pd.DataFrame, photos: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Table (patient_id, photo_id, fold) of one photo each of up to `count` patients, sampled
    evenly from the folds, of tables (patient_id, fold) and (patient_id, photo_id)."""
    table = photos.sort_values("photo_id").merge(folds, on="patient_id")
    table = table.sample(frac=1, random_state=seed).drop_duplicates("patient_id")
    turn = table.groupby("fold").cumcount()
    table = table.assign(turn=turn).sort_values(["turn", "fold"], kind="stable").head(count)
    return table[["patient_id", "photo_id", "fold"]].reset_index(drop=True)


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Faces (m), one a patient, each with the direction of the fold that it was held out from.

    `codes` are (m, num_ws, w_dim); `everyone` holds the codes of all photos of the cohort under
    (patient_id, photo_id), and `fold_of` (photos,) their patients' folds.
    """

    photo_ids: np.ndarray
    codes: np.ndarray
    folds: np.ndarray
    directions: list[Direction]
    everyone: pd.DataFrame
    fold_of: np.ndarray

    def subset(self, rows) -> "HeldOut":
        """The faces of some rows."""
        arrays = {name: getattr(self, name)[rows] for name in ("photo_ids", "codes", "folds")}
        return dataclasses.replace(self, **arrays, directions=[self.directions[i] for i in rows])

    def trained_on(self, fold: int) -> np.ndarray:
        """Codes (n, num_ws * w_dim) of the photos that a fold was trained on."""
        return self.everyone.to_numpy()[self.fold_of != fold]

    @property
    def steps(self) -> np.ndarray:
        """Changes of code (m, num_ws, w_dim) that raise each one's risk by one SD."""
        return np.reshape([d.step for d in self.directions], self.codes.shape)

    def risks(self, codes: np.ndarray) -> np.ndarray:
        """Of codes (m, k, num_ws, w_dim), in SDs over that of the face's own code: (m, k)."""
        rows = []
        for direction, some, unedited in zip(self.directions, codes, self.codes, strict=True):
            risk = direction.risk(some.reshape(len(some), -1)) - direction.risk(unedited.ravel())
            rows.append(risk / direction.sd)
        return np.stack(rows)


def held_out_faces(
    latents: str,
    photos: pd.DataFrame,
    folds: pd.DataFrame,
    directions: FoldDirections,
    count: int,
    seed: int,
) -> HeldOut:
    """Up to `count` faces of the first repeat that has models, of `folds` that have one."""
    folds = folds[folds.repeat == directions.repeat]
    everyone, shape = photo_codes(latents, photos, folds.patient_id.to_numpy())
    index = everyone.index.to_frame(index=False)
    modelled = folds[folds.fold.isin(list(directions.by_fold))]
    chosen = choose_faces(modelled, index, count, seed)
    codes = everyone.loc[pd.MultiIndex.from_frame(chosen[["patient_id", "photo_id"]])]
    return HeldOut(
        chosen.photo_id.to_numpy(),
        codes.to_numpy().reshape(-1, *shape),
        chosen.fold.to_numpy(),
        [directions.by_fold[fold] for fold in chosen.fold],
        everyone,
        folds.set_index("patient_id").fold.loc[index.patient_id].to_numpy(),
    )


def aligned_photos(path: str, photo_ids: np.ndarray) -> np.ndarray:
    """The crops uint8 (n, r, r, 3) of photos, from the file of all."""
    return Rows(path, "images")[_rows(path, photo_ids)]


def mean_training_photos(path: str, faces: HeldOut) -> dict[int, np.ndarray]:
    """By fold of the faces, the mean crop uint8 (r, r, 3) of the photos that it was trained on."""
    rows = _rows(path, faces.everyone.index.get_level_values("photo_id"))
    images = Rows(path, "images")
    return {
        fold: mean_picture(images, rows[faces.fold_of != fold]) for fold in np.unique(faces.folds)
    }


def _rows(path, photo_ids) -> np.ndarray:
    with np.load(path, allow_pickle=False) as aligned:
        return pd.Index(aligned["photo_ids"]).get_indexer(photo_ids)
