"""Crop a face as FFHQ does (Karras et al. 2019, arXiv 1812.04948, appendix A), with its regions."""

import dataclasses

import cv2
import numpy as np

from facies.photos.detection import LEFT_EYE, MOUTH_CORNERS, RIGHT_EYE, Face, FaceDetector
from facies.photos.regions import FACE, UNCERTAIN, segment
from facies.photos.visibility import reason, visibility

ENLARGED, FRAME = 256, 64  # pixels of a crop for a second detection, and of its margin
ENOUGH = 1024  # pixels; a quad of twice as many is cut out of a reduced photo
# Measures of each photo, columns of the table of alignment.
QUALITY = ("score", "flag", "turns", "width", "height", "face_size", "roll", "yaw", "leaves_photo")
QUALITY += ("crop_sharpness", "crop_contrast", "skin_brightness", "skin_redness", "skin_blueness")
QUALITY += ("seen_eyes", "seen_lower", "seen_half", "yaw_degrees")
OVERSAMPLE = 4  # the crop is cut this many times too large and then averaged
GRID = 4  # pixels of the coarse grid within a wide blur's SD
MEDIAN_SIDE = 512  # the median of a larger photo is that of a grid of some of its pixels


class Unusable(Exception):
    """The photo is excluded; the message is the reason in the table of exclusions."""


@dataclasses.dataclass(frozen=True)
class AlignmentSettings:
    """`resolution` of the crop; `min_face`, least pixels from eyes to mouth in the photo.

    `covered` is what becomes of a face that is covered or turned away: ``leave out`` or ``keep``.
    """

    resolution: int
    min_face: float
    covered: str


@dataclasses.dataclass(frozen=True)
class Aligned:
    """Crop uint8 (r, r, 3), regions uint8 (r, r), landmarks (468, 2) in its pixels.

    `quad` (4, 2) holds the crop's corners in the photo, from top left counter-clockwise.
    """

    image: np.ndarray
    regions: np.ndarray
    landmarks: np.ndarray
    quad: np.ndarray
    quality: dict[str, float]


def ffhq_quad(eyes: np.ndarray, mouth: np.ndarray) -> np.ndarray:
    """Corners of the oriented square from eye centres and mouth corners, (2, 2) each."""
    eye_to_eye = eyes[1] - eyes[0]
    eye_to_mouth = mouth.mean(axis=0) - eyes.mean(axis=0)
    x = eye_to_eye + np.array([eye_to_mouth[1], -eye_to_mouth[0]])
    x /= np.linalg.norm(x)
    x *= max(np.linalg.norm(eye_to_eye) * 2.0, np.linalg.norm(eye_to_mouth) * 1.8)
    y = np.array([-x[1], x[0]])
    centre = eyes.mean(axis=0) + 0.1 * eye_to_mouth
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])


def crop(photo: np.ndarray, quad: np.ndarray, resolution: int) -> np.ndarray:
    """Cut the quad out of a photo uint8 (h, w, 3); beyond its edges it is reflected and blurred."""
    size = np.linalg.norm(quad[3] - quad[0])
    large = resolution * OVERSAMPLE
    shrink = max(int(size / large / 2), int(size / ENOUGH), 1)
    if shrink > 1:
        photo = cv2.resize(photo, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
        quad, size = quad / shrink, size / shrink
    photo, offset = _reflect(photo, quad, size)
    warped = cv2.warpAffine(
        photo, _affine(quad + offset, large), (large, large), borderMode=cv2.BORDER_REFLECT
    )
    return cv2.resize(warped, (resolution, resolution), interpolation=cv2.INTER_AREA)


def crop_labels(labels: np.ndarray, quad: np.ndarray, resolution: int, outside: int) -> np.ndarray:
    """Cut the same quad out of a label map (h, w); pixels outside it get the label ``outside``."""
    return cv2.warpAffine(
        labels,
        _affine(quad, resolution),
        (resolution, resolution),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=int(outside),
    )


def _affine(quad, side):
    """OpenCV's map from the photo's pixel centres to those of a square of the given side."""
    corners = np.float32([[0, 0], [0, side], [side, side]]) - 0.5
    return cv2.getAffineTransform(np.float32(quad[:3] - 0.5), corners)


def _reflect(photo, quad, size):
    """Pad by reflection where the quad leaves the photo, fading into a blur as FFHQ does.

    Only the part around the quad is computed; returned with the offset of the photo in it.
    """
    extent = np.array(photo.shape[1::-1])
    border = max(int(round(size * 0.1)), 3)
    low = np.floor(-quad.min(axis=0)).astype(int) + border
    high = np.ceil(quad.max(axis=0) - extent).astype(int) + border
    if max(low.max(), high.max()) <= border:
        return photo, np.zeros(2)
    pad = int(max(low.max(), high.max(), size * 0.3))
    sigma = size * 0.02
    reach = int(4 * sigma) + 3  # further away a blur sees nothing
    first = np.maximum(np.floor(quad.min(axis=0)).astype(int) - reach, -pad)
    last = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + reach, extent + pad)
    x, y = (np.arange(*ends) for ends in zip(first, last, strict=True))
    # The whole photo with all of its padding, every so many pixels, for its median.
    step = max(int((extent + 2 * pad).max() / MEDIAN_SIDE), 1)
    all_x, all_y = (np.arange(-pad, length + pad, step) for length in extent)
    padded = np.empty((len(y), len(x), 3), np.uint8)
    for channel in range(3):  # one after the other, which takes a third of the memory
        colour = photo[..., channel]
        median = np.median(_fade(colour, all_x, all_y, pad, sigma / step)[0])
        part, outward = _fade(colour, x, y, pad, sigma)
        part += (median - part) * np.clip(outward, 0, 1)
        padded[..., channel] = np.clip(np.rint(part), 0, 255)
    return padded, -first


def _fade(colour, x, y, pad, sigma):
    """One colour (h, w) of a photo at columns x and rows y, which may lie in its padding: the photo
    reflected, and near its edge and outside it blurred, float32 (y, x).

    Also returns how far outward each pixel lies: 0 at the edge, 1 at the end of the padding.
    """
    (height, width), to_border = colour.shape, []
    part = colour[_mirrored(y, height)][:, _mirrored(x, width)].astype(np.float32)
    for index, length in ((y, height), (x, width)):
        to_border.append(np.minimum(index + pad, length + pad - 1 - index).astype(np.float32))
    outward = 1 - np.minimum.outer(*to_border) / pad
    part += (_blur(part, sigma) - part) * np.clip(outward * 3 + 1, 0, 1)
    return part, outward


def _mirrored(index, length):
    """Indices reflected at both ends of 0 to ``length`` - 1."""
    index = index % (2 * length)
    return np.minimum(index, 2 * length - 1 - index)


def _blur(part, sigma):
    """Gaussian blur of SD ``sigma`` pixels, float32 (h, w).

    A wide blur is computed on a coarse grid, whose pixels (variance 1/12 of their width squared)
    and interpolation (1/6) add to it.
    """
    coarse = int(sigma / GRID)
    if coarse < 2:
        return cv2.GaussianBlur(part, (0, 0), sigma)
    height, width = part.shape
    small = cv2.resize(part, (width // coarse, height // coarse), interpolation=cv2.INTER_AREA)
    sigmas = [
        np.sqrt((sigma * few / many) ** 2 - 1 / 4)
        for few, many in zip(small.shape[::-1], part.shape[::-1], strict=True)
    ]
    small = cv2.GaussianBlur(small, (0, 0), sigmaX=sigmas[0], sigmaY=sigmas[1])
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def align_photo(photo: np.ndarray, detector: FaceDetector, settings: AlignmentSettings) -> Aligned:
    """Detect, crop and segment one photo, uint8 (h, w, 3); raises Unusable with the reason."""
    face = detector.detect(photo)
    if face is None:
        raise Unusable("no face found")
    if face.count > 1:
        raise Unusable(f"{face.count} faces of like size; crop the photo to the patient")
    if face.size < settings.min_face:
        raise Unusable(f"face too small: {face.size:.0f} pixels from eyes to mouth")
    seen = visibility(face, photo.shape[:2])
    if settings.covered == "leave out" and (hidden := reason(seen)):
        raise Unusable(hidden)
    resolution = settings.resolution
    quad = ffhq_quad(face.eyes, face.mouth)
    affine = cv2.getAffineTransform(
        np.float32(quad[:3]), np.float32([[0, 0], [0, resolution], [resolution, resolution]])
    )
    landmarks = face.landmarks @ affine[:, :2].T + affine[:, 2]
    aligned = Aligned(
        image=crop(photo, quad, resolution),
        regions=_regions(photo, face, quad, resolution, detector),
        landmarks=landmarks.astype(np.float32),
        quad=quad.astype(np.float32),
        quality={},
    )
    aligned.quality.update(_quality(photo, face, aligned) | seen)
    return aligned


def _regions(photo, face: Face, quad, resolution: int, detector: FaceDetector) -> np.ndarray:
    """The crop's regions (r, r). Large faces are segmented in a reduced photo, down to the size of
    the crop: the person mask has no finer outline."""
    size = np.linalg.norm(quad[3] - quad[0])
    shrink = max(min(max(photo.shape) // ENOUGH, int(size / max(resolution, ENOUGH // 2))), 1)
    if shrink > 1:
        photo = cv2.resize(photo, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
        face = dataclasses.replace(face, landmarks=face.landmarks / shrink)
    regions = segment(photo, face, detector.person(photo))
    return crop_labels(regions, quad / shrink, resolution, outside=UNCERTAIN)


def _quality(photo, face: Face, aligned: Aligned) -> dict[str, float]:
    """Measures of photo quality, which may explain a risk instead of the face."""
    grey = cv2.cvtColor(aligned.image, cv2.COLOR_RGB2GRAY)
    inside = face_mask(aligned.regions)
    skin = aligned.image[inside].reshape(-1, 3).mean(axis=0) if inside.any() else np.zeros(3)
    across = face.eyes[1] - face.eyes[0]
    nose = aligned.landmarks[1, 0] - aligned.landmarks[[234, 454], 0].mean()
    height, width = photo.shape[:2]
    outside = ((aligned.quad < 0) | (aligned.quad > [width, height])).any()
    return {
        "score": face.score,
        "flag": face.flag,
        "turns": face.turns,
        "width": width,
        "height": height,
        "face_size": face.size,
        "roll": float(np.degrees(np.arctan2(across[1], across[0]))),
        "yaw": float(nose / np.ptp(aligned.landmarks[[234, 454], 0])),
        "leaves_photo": int(outside),
        "crop_sharpness": float(cv2.Laplacian(grey, cv2.CV_64F).var()),
        "crop_contrast": float(grey.std()),
        "skin_brightness": float(skin.mean()),
        "skin_redness": float(skin[0] - skin[1]),
        "skin_blueness": float(skin[2] - skin[1]),
    }


def face_mask(regions: np.ndarray) -> np.ndarray:
    """True inside the face oval."""
    return regions == FACE


def key_points(landmarks: np.ndarray) -> np.ndarray:
    """Eye centres and mouth corners (4, 2), which define a crop."""
    eyes = [landmarks[i].mean(axis=0) for i in (LEFT_EYE, RIGHT_EYE)]
    return np.concatenate([np.stack(eyes), landmarks[MOUTH_CORNERS]])


def find_again(detector: FaceDetector, image: np.ndarray) -> Face | None:
    """The face in a crop (r, r, 3), such as a reconstruction, with landmarks in its pixels."""
    face = detector.detect(framed(image))
    scale = ENLARGED / len(image)
    return face and dataclasses.replace(face, landmarks=(face.landmarks - FRAME) / scale)


def framed(image: np.ndarray) -> np.ndarray:
    """A crop (r, r, 3) enlarged and with a margin, as the detector expects it."""
    large = cv2.resize(image, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(large, *[FRAME] * 4, cv2.BORDER_REPLICATE)


def landmark_drift(face: Face | None, landmarks: np.ndarray, resolution: int) -> float:
    """Mean distance of the four key points of a reconstruction's ``face`` from the photo's, as a
    fraction of the crop's width; NaN without a face."""
    if face is None:
        return float("nan")
    apart = key_points(face.landmarks) - key_points(landmarks)
    return float(np.linalg.norm(apart, axis=1).mean() / resolution)
