"""Find faces: MediaPipe's BlazeFace, its 468-point mesh and its person mask, run by OpenCV.

Points are continuous pixel coordinates (x, y) of the given photo, whose corner is (0, 0).
BlazeFace: Bazarevsky et al. 2019 (arXiv 1907.05047); mesh: Kartynnik et al. 2019 (arXiv
1907.06724). A face counts only if the mesh agrees that it is one and its eyes lie above its mouth.
"""

import dataclasses
import hashlib
from pathlib import Path

import cv2
import numpy as np

from facies.common.errors import InputError

# With the SHA-256 of their files as published.
MODELS = {
    "face_detection_short_range": (
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
    ),
    "face_landmark": "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    "selfie_segmentation": "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
}
LEFT_EYE = [33, 160, 158, 133, 153, 144]  # left and right as seen in the picture
RIGHT_EYE = [362, 385, 387, 263, 373, 380]
MOUTH_CORNERS = [61, 291]
INPUT = 192  # pixels of the mesh network's square input
# Inner layers of the mesh network: 24, 12, 6, 3 and 3 cells to a side.
INNER = ["p_re_lu_9", "p_re_lu_12", "p_re_lu_15", "p_re_lu_17", "p_re_lu_26"]
MIN_SCORE = 0.5
MIN_FLAG = 0.5


@dataclasses.dataclass(frozen=True)
class Face:
    """One face: mesh (468, 2), detector score, mesh flag, and how many like it the photo has.

    `mesh` (468, 3) are the same points in the upright square that the mesh's network saw, with
    their depth, and `activations` its inner layers INNER, (channels, n, n) each.
    """

    landmarks: np.ndarray
    score: float
    flag: float
    turns: int = 0  # quarter turns, counter-clockwise, after which it stands upright
    count: int = 1
    mesh: np.ndarray | None = None
    activations: tuple[np.ndarray, ...] = ()

    @property
    def eyes(self) -> np.ndarray:
        """Centres of the left and right eye, (2, 2)."""
        return np.stack([self.landmarks[i].mean(axis=0) for i in (LEFT_EYE, RIGHT_EYE)])

    @property
    def mouth(self) -> np.ndarray:
        """Left and right corner of the mouth, (2, 2)."""
        return self.landmarks[MOUTH_CORNERS]

    @property
    def size(self) -> float:
        """Distance from eyes to mouth in pixels, which a turn of the head changes little."""
        return float(np.linalg.norm(self.mouth.mean(axis=0) - self.eyes.mean(axis=0)))


def _anchors() -> np.ndarray:
    """Centres of the detector's 896 anchors, in units of its input."""
    grids = []
    for cells, per_cell in ((16, 2), (8, 6)):
        centre = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(centre, centre, indexing="ij")
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), per_cell, axis=0))
    return np.concatenate(grids)


def _turn(photo: np.ndarray, turns: int) -> np.ndarray:
    """np.rot90(photo, turns) as a copy; OpenCV is twice as fast."""
    codes = [cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE]
    return cv2.rotate(photo, codes[turns - 1]) if turns else photo


def _turn_back(points: np.ndarray, turns: int, height: int, width: int) -> np.ndarray:
    """Points in np.rot90(photo, turns) as points in the photo of the given height and width."""
    x, y = points[..., 0], points[..., 1]
    turned = [(x, y), (width - y, x), (width - x, height - y), (y, height - x)][turns]
    return np.stack(turned, axis=-1)


def _overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of one (x0, y0, x1, y1) with many."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:4], boxes[:, 2:4])
    common = np.clip(high - low, 0, None).prod(axis=1)
    areas = (boxes[:, 2:4] - boxes[:, :2]).prod(axis=1)
    return common / (areas + (box[2:4] - box[:2]).prod() - common + 1e-9)


def published(path: Path) -> bytes:
    """The bytes of a network's file; InputError if it is not the published one."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != MODELS[path.stem]:
        raise InputError(
            f"{path} is not the published file (wrong SHA-256); delete it, and run again"
        )
    return data


class FaceDetector:
    """The three networks; `folder` holds their .tflite files. InputError if they are not the
    published ones."""

    def __init__(self, folder: str | Path):
        cv2.setNumThreads(1)
        files = [published(Path(folder, f"{name}.tflite")) for name in MODELS]
        networks = [cv2.dnn.readNetFromTFLite(np.frombuffer(file, np.uint8)) for file in files]
        self._blaze, self._mesh, self._selfie = networks
        self._anchors = _anchors()

    def detect(self, photo: np.ndarray) -> Face | None:
        """The main face of a photo, uint8 (h, w, 3), or None.

        Tries the whole photo in four quarter turns, then ever smaller tiles for small faces. Among
        turns the face of the highest score wins, as an inverted face is also detected at times.
        """
        height, width = photo.shape[:2]
        for tiles in (1, 2, 3):
            best = None
            for turns in range(4):
                faces = self._upright_faces(_turn(photo, turns), tiles)
                if not faces:
                    continue
                face = max(faces, key=lambda f: f.size * f.flag)
                count = sum(other.size > 0.5 * face.size for other in faces)
                points = _turn_back(face.landmarks, turns, height, width)
                face = dataclasses.replace(face, landmarks=points, turns=turns, count=count)
                if best is None or face.score * face.flag > best.score * best.flag:
                    best = face
            if best is not None:
                return best
        return None

    def person(self, photo: np.ndarray) -> np.ndarray:
        """Probability of belonging to the person, float32 (h, w)."""
        blob = cv2.dnn.blobFromImage(photo, 1 / 255, (256, 256))
        self._selfie.setInput(blob)
        mask = self._selfie.forward()[0, 0]
        return cv2.resize(mask, photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)

    def _upright_faces(self, photo, tiles) -> list[Face]:
        """Faces that stand upright in this turn of the photo."""
        boxes = np.concatenate([self._boxes(photo, tile) for tile in _tiles(photo, tiles)])
        faces = [self._landmarks(photo, box) for box in _suppress(boxes)]
        return [
            f for f in faces if f.flag > MIN_FLAG and f.mouth[:, 1].mean() > f.eyes[:, 1].mean()
        ]

    def _boxes(self, photo, tile) -> np.ndarray:
        """Detections in one tile: rows of box, two eyes and score in the photo's pixels."""
        x0, y0, x1, y1 = tile
        part = photo[y0:y1, x0:x1]
        side = max(part.shape[:2])
        square = np.zeros((side, side, 3), np.uint8)
        square[: part.shape[0], : part.shape[1]] = part
        interpolation = cv2.INTER_AREA if side > 128 else cv2.INTER_LINEAR
        square = cv2.resize(square, (128, 128), interpolation=interpolation)
        self._blaze.setInput(cv2.dnn.blobFromImage(square, 1 / 127.5, mean=(127.5,) * 3))
        scores, values = self._blaze.forward(["classificators", "regressors"])
        score = 1 / (1 + np.exp(-np.clip(scores[0, :, 0], -80, 80)))
        keep = score > MIN_SCORE
        values, anchors = values[0, keep] / 128, self._anchors[keep]
        centre, half = values[:, :2] + anchors, values[:, 2:4] / 2
        eyes = values[:, 4:8] + np.tile(anchors, 2)
        points = np.concatenate([centre - half, centre + half, eyes], axis=1) * side
        points += np.tile([x0, y0], 4)
        return np.concatenate([points, score[keep, None]], axis=1)

    def _landmarks(self, photo, box) -> Face:
        """Run the mesh on the square around a box, turned so that the eyes are level."""
        eyes, score = box[4:8].reshape(2, 2), box[8]
        centre = (box[:2] + box[2:4]) / 2
        along = eyes[1] - eyes[0]
        along = along / (np.linalg.norm(along) + 1e-9) * (box[2:4] - box[:2]).max() * 1.5
        across = np.array([-along[1], along[0]])
        corner = centre - along / 2 - across / 2
        forward = np.stack([along, across, corner], axis=1) / [INPUT, INPUT, 1]  # mesh to photo
        inverse = cv2.invertAffineTransform(_to_centres(forward))
        patch = cv2.warpAffine(photo, inverse, (INPUT, INPUT), flags=cv2.INTER_LINEAR)
        self._mesh.setInput(cv2.dnn.blobFromImage(patch, 1 / 255))
        flag, mesh, *inner = self._mesh.forward(["conv2d_31", "conv2d_21", *INNER])
        mesh = mesh.reshape(468, 3)
        points = mesh[:, :2] @ forward[:, :2].T + forward[:, 2]
        return Face(
            points.astype(np.float32),
            float(score),
            float(1 / (1 + np.exp(-flag.item()))),
            mesh=mesh.copy(),
            activations=tuple(layer[0].copy() for layer in inner),
        )


def _to_centres(affine: np.ndarray) -> np.ndarray:
    """An affine map of continuous coordinates as OpenCV's map of pixel centres."""
    moved = affine.copy()
    moved[:, 2] += affine[:, :2].sum(axis=1) * 0.5 - 0.5
    return moved


def _tiles(photo, count):
    """Overlapping tiles (x0, y0, x1, y1), `count` to a side."""
    if count == 1:
        return [(0, 0, photo.shape[1], photo.shape[0])]
    height, width = photo.shape[:2]
    h, w = int(height * 1.4 / count), int(width * 1.4 / count)
    tops = np.linspace(0, height - h, count).astype(int)
    lefts = np.linspace(0, width - w, count).astype(int)
    return [(x, y, x + w, y + h) for y in tops for x in lefts]


def _suppress(boxes: np.ndarray) -> list[np.ndarray]:
    """Merge overlapping detections to their score-weighted mean (BlazeFace, section 3.4)."""
    merged = []
    boxes = boxes[np.argsort(-boxes[:, 8], kind="stable")]
    while len(boxes):
        same = _overlap(boxes[0], boxes) > 0.3
        same[0] = True
        weights = boxes[same, 8:]
        mean = (boxes[same] * weights).sum(axis=0) / weights.sum()
        mean[8] = boxes[0, 8]
        merged.append(mean)
        boxes = boxes[~same]
    return merged
