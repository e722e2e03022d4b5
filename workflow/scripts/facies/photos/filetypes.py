"""The true type of a file by its first bytes, with a remedy if it cannot be used.

Names are unreliable: phones and mail programs rename HEIC photos and web pages to .jpg.
"""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

HEAD = 2**16  # bytes that are looked at
TIFF = (b"II*\0", b"MM\0*")
EXPORT = "export it as JPEG"
VIDEO = "a video; save one frame of it as JPEG"
RAW = f"a camera's RAW file; {EXPORT}"
# Tags of a TIFF directory, TIFF 6.0 and DNG 1.7.
SUBFILE, WIDTH, HEIGHT, PHOTOMETRIC, SUB_DIRECTORIES, DNG_VERSION = 254, 256, 257, 262, 330, 50706
SENSOR = (32803, 34892)  # photometric interpretations: colour filter array, linear raw
# Markers of a JPEG (ITU-T T.81, table B.1, and T.87): frames, and the start of a scan.
FRAMES, SCAN = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}, 0xDA
LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF, 0xF7)
DIRECTORIES = 32  # at most so many are read, of which a file may name itself again and again

# Pattern of the first bytes, and what the file is. The first that matches counts.
FOREIGN = [
    (re.compile(pattern, re.DOTALL), name)
    for pattern, name in {
        rb"\0+\Z": "not a picture (it holds only zero bytes); copy it again",
        rb".{4}ftyp(?!.{0,60}avi[fs])(hei.|hev.|mif1|msf1)": f"a HEIC photo; {EXPORT}",
        rb".{4}ftypcr[xm] |.{6}HEAPCCDR|.{8}CR\x02": RAW,
        rb"FUJIFILMCCD-RAW|IIU\0|IIR[OS]|MMOR|FOVb|\0MRM": RAW,
        rb".{4}(moov|mdat|ftyp(?!avi[fs]|mif1|msf1))": VIDEO,
        rb"\x1aE\xdf\xa3|RIFF.{4}AVI |\0\0\x01[\xb3\xba]": VIDEO,
        rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n": f"a JPEG XL photo; {EXPORT}",
        rb"\s*%PDF-": "a PDF document; export the photo in it as JPEG",
        rb".{128}DICM": f"a DICOM file; {EXPORT}",
        rb"8BPS": f"a Photoshop document; {EXPORT}",
        rb"%!PS|\xc5\xd0\xd3\xc6": f"a PostScript drawing; {EXPORT}",
        rb"v/1\x01|#\?R": f"an HDR picture (OpenEXR or Radiance); {EXPORT}",
        rb"\0\x05\x16\x07": "a side file of macOS (._name); name the photo itself",
        rb"bplist0": "a placeholder of a cloud drive; download the photo itself",
        rb"version https://git-lfs": "a pointer of Git LFS; fetch the photo itself",
        rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!|\xd0\xcf\x11\xe0": (
            "an archive or office document; take the photo out of it"
        ),
        rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body|(!--|\?xml).{0,2000}<html)": (
            "a web page; download the photo itself"
        ),
        rb"(?i)(\xef\xbb\xbf)?\s*<(svg|(!--|\?xml|!doctype svg).{0,2000}<svg)": (
            f"an SVG drawing; {EXPORT}"
        ),
    }.items()
]


def foreign(file: BinaryIO) -> str:
    """What a file is, with a remedy, if it is no photo that can be used; '' if it may be one."""
    file.seek(0)
    head = file.read(HEAD)
    for pattern, name in FOREIGN:
        if pattern.match(head):
            return name
    if head.startswith(b"\xff\xd8"):
        return _odd_jpeg(head)
    return RAW if head.startswith(TIFF) and _is_raw(directories(file)) else ""


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment of a JPEG, up to its first scan, which is the last."""
    offset = 2
    while data[offset : offset + 1] == b"\xff" and offset + 4 <= len(data):
        marker, length = struct.unpack(">BH", data[offset + 1 : offset + 4])
        if marker == 0xFF:  # a marker may begin with several of these
            offset += 1
            continue
        yield marker, offset, offset + 2 + length
        if marker == SCAN:
            return
        offset += 2 + length


def _odd_jpeg(head: bytes) -> str:
    """What a JPEG is that photo programs do not read, as scanners and hospitals keep; or ''."""
    for marker, start, _ in jpeg_segments(head):
        bits = head[start + 4 : start + 5]
        if marker in LOSSLESS:
            return f"a lossless JPEG; {EXPORT} of the usual kind"
        if marker in FRAMES and bits and bits != b"\x08":
            return f"a JPEG of {bits[0]} bits; {EXPORT} of 8 bits"
    return ""


def _is_raw(directories: list[dict]) -> bool:
    """Whether a TIFF holds what a sensor saw, beside or instead of a picture.

    Its first picture, which any reader shows, is then a preview of some 160 pixels.
    """
    first = directories[0] if directories else {}
    return (
        DNG_VERSION in first
        or first.get(SUBFILE, 0) & 1 == 1
        or any(d.get(PHOTOMETRIC) in SENSOR for d in directories)
        or any(d["within"] and _area(d) > _area(first) for d in directories)
    )


def _area(directory):
    return directory.get(WIDTH, 0) * directory.get(HEIGHT, 0)


def directories(file: BinaryIO) -> list[dict]:
    """Whole-number tags of a TIFF's directories, {tag: first value}, and whether each stands
    ``within`` another; as many as can be read of a damaged file."""
    file.seek(0)
    start = file.read(8)
    order = "<" if start.startswith(b"II") else ">"
    queue = [(struct.unpack(order + "I", start[4:])[0], False)] if len(start) == 8 else []
    read, seen = [], set()
    while queue and len(read) < DIRECTORIES:
        offset, within = queue.pop(0)
        if offset and offset not in seen:
            seen.add(offset)
            tags, following, children = _directory(file, offset, order)
            read.append(tags | {"within": within})
            queue += [(following, within), *((child, True) for child in children)]
    return read


def _directory(file, offset, order):
    """Tags of one directory, the offset of the following one, and those of its children."""
    tags, children = {}, []
    file.seek(offset)
    count = int.from_bytes(file.read(2), "little" if order == "<" else "big")
    body = file.read(12 * count + 4)
    for i in range(0, len(body) - 11, 12):
        tag, kind, number, value = struct.unpack(order + "HHI4s", body[i : i + 12])
        if kind == 3:  # short
            tags[tag] = struct.unpack(order + "H", value[:2])[0]
        elif kind in (1, 4, 13):  # bytes (taken together), long, directory
            tags[tag] = struct.unpack(order + "I", value)[0]
        if tag == SUB_DIRECTORIES and number == 1:
            children = [tags.get(tag, 0)]
        elif tag == SUB_DIRECTORIES:
            file.seek(tags.get(tag, 0))
            offsets = file.read(4 * min(number, DIRECTORIES))
            children = [n for (n,) in struct.iter_unpack(order + "I", offsets[: len(offsets) & ~3])]
    following = body[12 * count :]
    return tags, struct.unpack(order + "I", following)[0] if len(following) == 4 else 0, children
