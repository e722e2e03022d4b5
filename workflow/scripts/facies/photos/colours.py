"""Convert the colours of a picture to sRGB by its embedded colour profile.

Phones store Display P3, some cameras Adobe RGB, scanners their calibration; read as sRGB, skin in
Display P3 is too pale. Conversion is relative colorimetric with black point compensation (ISO
15076-1), which keeps all colours that sRGB has; the perceptual intent would change them.
"""

import io
import re
import struct
from functools import cache

import numpy as np
from PIL import ExifTags, Image, ImageCms

from facies.common.errors import InputError

SRGB, NONE, UNREADABLE = "sRGB", "none", "unreadable"
ALIKE = 3  # of 255: a profile that moves no colour further than this is sRGB by another name
LEAST_WHITE = 200  # of 255: white stays white, or else the profile is damaged
NAME_LENGTH = 40
MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # of a profile's colour space

# Chromaticities (x, y) of red, green, blue and white.
D65 = (0.3127, 0.3290)
BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), D65)
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65)
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65)
ADOBE = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060), D65)  # Adobe RGB (1998), 4.3.1.1
ADOBE_GAMMA = 563 / 256
# Code points of ITU-T H.273: primaries, and exponents of transfer functions (None is sRGB's).
PRIMARIES = {1: ("sRGB", BT709), 9: ("BT.2020", BT2020), 12: ("Display P3", P3)}
TRANSFERS = {1: None, 4: 2.2, 5: 2.8, 6: None, 8: 1.0, 13: None, 14: None, 15: None}
HDR = (16, 18)  # perceptual quantiser, hybrid log-gamma

# JPEG 2000's box of colour: length, name, method (a profile), and two bytes (ISO 15444-1, I.5.3.3).
JP2_PROFILE = re.compile(rb"(.{4})colr[\x02\x03]..", re.DOTALL)

D50 = np.array([0.9642, 1.0, 0.8249])  # where profiles connect
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def to_srgb(picture: Image.Image, profile: bytes | None) -> tuple[Image.Image, str]:
    """A picture (L, RGB, CMYK or LAB) as RGB in sRGB, and the name of its profile.

    Without a profile, or with one that is damaged or of another colour space, it is read as sRGB;
    the name says so.
    """
    if picture.mode == "LAB":
        return _transform(ImageCms.createProfile("LAB"), "LAB")(picture), "CIELAB"
    if profile is None:
        return _plain(picture), NONE if picture.mode != "CMYK" else "none (CMYK)"
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = MODES[embedded.profile.xcolor_space.strip()]
        if mode == "RGB" and picture.mode == "L":
            picture = picture.convert("RGB")
        if mode != picture.mode:
            return _plain(picture), UNREADABLE
        convert = _transform(embedded, mode)
        white = Image.new(mode, (1, 1), 0 if mode == "CMYK" else "white")
        if min(convert(white).getpixel((0, 0))) < LEAST_WHITE:
            return _plain(picture), UNREADABLE
        if mode == "RGB" and _moves(convert) <= ALIKE:
            return picture, SRGB
        return convert(picture), _name(embedded)
    except (ImageCms.PyCMSError, KeyError, OSError, TypeError, ValueError):
        return _plain(picture), UNREADABLE


def profile_of(picture: Image.Image, head: bytes) -> bytes | None:
    """The embedded ICC profile of a picture, or one made from other metadata; ``head`` are the
    file's first bytes. InputError for HDR, which has no unique sRGB version.

    A gain map, by which phones brighten a photo for HDR screens, is a separate picture after the
    photo and is ignored.
    """
    if code := re.search(rb"\0\0\0\x04cICP(..)|colrnclx\0(.)\0(.)", head, re.DOTALL):
        primaries, transfer = code[1] or code[2] + code[3]
        if transfer in HDR:
            raise InputError("an HDR photo (PQ or HLG); export it as JPEG")
        counts = code[1] or not picture.info.get("icc_profile")
        if counts and primaries in PRIMARIES and transfer in TRANSFERS:
            return matrix_profile(*PRIMARIES[primaries], TRANSFERS[transfer])
    if picture.info.get("icc_profile"):
        return picture.info["icc_profile"]
    if picture.format == "JPEG2000" and (box := re.search(JP2_PROFILE, head)):
        return head[box.end() : box.start() + int.from_bytes(box[1], "big")]
    if picture.format == "PNG" and "srgb" not in picture.info:
        return _png_profile(picture.info)
    return adobe_profile() if _says_adobe(picture) else None


def _png_profile(info: dict) -> bytes | None:
    """A profile from PNG's chunks gAMA and cHRM (PNG 3rd edition, 11.3.2), if they differ from
    sRGB."""
    gamma, points = info.get("gamma", 1 / 2.2), info.get("chromaticity")
    usual = abs(gamma * 2.2 - 1) < 0.05
    primaries = BT709 if points is None else (points[2:4], points[4:6], points[6:8], points[:2])
    if usual and np.allclose(primaries, BT709, atol=0.005):
        return None
    corners = [(x, y, 1) for x, y in primaries[:3]]
    if not 0.1 < gamma <= 2 or min(y for _, y in primaries) < 0.01:
        return None
    if abs(np.linalg.det(corners)) < 0.01:  # no triangle of colours
        return None
    return matrix_profile(f"PNG gamma {1 / gamma:.2g}", primaries, None if usual else 1 / gamma)


def _says_adobe(picture: Image.Image) -> bool:
    """Whether EXIF names Adobe RGB, often without a profile (DCF 2.0, 3.2.2)."""
    try:
        exif = picture.getexif()
        colour_space = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
        return colour_space == 2 or exif.get_ifd(ExifTags.IFD.Interop).get(1, "")[:3] == "R03"
    except Exception:  # unreadable tags
        return False


def _plain(picture):
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _transform(profile, mode):
    """The conversion of pictures of a mode from a profile to sRGB."""
    transform = ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return lambda picture: ImageCms.applyTransform(picture, transform)


def _moves(convert) -> int:
    """The largest change of a colour by a conversion, of 255."""
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    return int(np.abs(np.asarray(convert(Image.fromarray(cube))).astype(int) - cube).max())


def _name(profile) -> str:
    """The description of a profile, in characters that are safe in a table."""
    text = re.sub(r"[^\w ().,-]+", " ", profile.profile.profile_description or "", flags=re.ASCII)
    return " ".join(text.split()).strip(" .,-")[:NAME_LENGTH].strip() or "unnamed"


@cache
def adobe_profile() -> bytes:
    """The colours of Adobe RGB (1998)."""
    return matrix_profile("Adobe RGB (1998)", ADOBE, ADOBE_GAMMA)


def matrix_profile(name: str, primaries, gamma: float | None) -> bytes:
    """An ICC profile (ISO 15076-1, version 4.3) of three primaries and a white, (4, 2) in x and y,
    and one transfer function: a power, or sRGB's if ``gamma`` is None."""
    curve = struct.pack(">HH", 0, 0) + _fixed(gamma or 1)
    if gamma is None:  # IEC 61966-2-1
        curve = struct.pack(">HH", 3, 0) + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    text = name.encode("utf-16-be")
    tags = {b"desc": b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text}
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + _fixed(*D50)
    for letter, colour in zip((b"r", b"g", b"b"), _colourants(primaries).T, strict=True):
        tags[letter + b"XYZ"] = b"XYZ \0\0\0\0" + _fixed(*colour)
        tags[letter + b"TRC"] = b"para\0\0\0\0" + curve
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        offset = 132 + 12 * len(tags) + len(body)
        table += struct.pack(">4sII", tag, offset, len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI", 128 + len(table) + len(body), b"", 0x04300000)
    header += b"mntrRGB XYZ " + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    return header + _fixed(*D50) + bytes(48) + table + body


def _fixed(*values) -> bytes:
    """Numbers as ICC's s15Fixed16."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _colourants(primaries) -> np.ndarray:
    """XYZ of red, green and blue in columns (3, 3), which add up to white, adapted to D50
    (Bradford, ICC annex E)."""
    x, y = np.array(primaries, float).T
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    colours = xyz[:, :3] * np.linalg.solve(xyz[:, :3], xyz[:, 3])
    cones = BRADFORD @ D50 / (BRADFORD @ xyz[:, 3])
    return np.linalg.solve(BRADFORD, cones[:, None] * (BRADFORD @ colours))
