"""Edits confined to the face: a wanted risk, and least change in the rest of the picture.

The closest code of a wanted risk (`direction`) shows all that goes with risk, and where hair greys
and falls with it, hair drowns the skin. Here the picture decides what is close. With z the place of
a code on the training patients' main axes, b the risk's coefficients there and J the derivative of
the pixels outside the face, the z that changes those pixels least among all with b'z = 1 is
G^-1 b / (b' G^-1 b), G = J'J (by Lagrange). That most of its change lies in the face is thus its
making; whether the edited picture has the wanted risk is not, and has to be measured.

Along the last axes, in which people hardly differ, risk could change without a change to be seen.
"""

import numpy as np

from facies.features import principal_axes

SHARE = 0.85  # of the codes' variance lies on the main axes
TIE = 1e-6  # of G's mean eigenvalue: of codes that change the rest alike, the more ordinary one


def main_axes(codes: np.ndarray) -> np.ndarray:
    """Principal axes (k, p) of codes (n, p), each one SD long, that hold SHARE of the variance."""
    centred = codes - codes.mean(axis=0)
    axes = principal_axes(centred)
    variances = np.square(centred @ axes.T).mean(axis=0)
    held = np.cumsum(variances) / variances.sum()
    k = int(np.searchsorted(held, SHARE)) + 1
    return axes[:k] * np.sqrt(variances[:k])[:, None]


def confined_steps(wanted: np.ndarray, tangents: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Places (j, k) on k axes that raise each of the risks `wanted` (j, k) by one and change the
    pixels `outside`, bool (r, r), least.

    `wanted` holds a risk's change along each axis, `tangents` (k, r, r, 3) the picture's.
    """
    rest = tangents[:, outside].reshape(len(tangents), -1).astype(float)
    gram = rest @ rest.T
    tie = TIE * np.trace(gram) / len(gram) or 1.0
    places = np.linalg.solve(gram + tie * np.eye(len(gram)), wanted.T).T
    return places / (wanted * places).sum(axis=1, keepdims=True)
