"""Detect damaged picture data, which decoders show as garbage or grey areas without an error.

JPEG, WebP, AVIF and uncompressed pictures have no checksum: damage that still decodes is missed.
"""

import os
import re
import struct
import tempfile
import zlib
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image

from facies.photos.filetypes import SCAN, jpeg_segments

# What libjpeg says of a photo whose pixels are not those that were stored. Some cameras leave a few
# bytes too many, which does no harm.
SCRAMBLED = re.compile(
    rb"bad (Huffman|arithmetic)|[Pp]remature end|instead of RST|Inconsistent progression"
    rb"|(\d{3,}|[3-9]\d) extraneous"
)
NOT_PIXELS = (*range(0xE0, 0xF0), 0xFE)  # markers of applications' segments and of comments
MOST_SCANS = 100  # of a JPEG; ten are usual, and each takes a pass over all pixels
DAMAGED_JPEG = "a damaged JPEG, whose pixels are lost; export or copy it again"
ENDLESS_JPEG = "a JPEG whose end is missing (damaged or cut short); copy or export it again"
DAMAGED = "a damaged picture, whose checksum does not fit; export or copy it again"
CUT_SHORT = "the end of the file is lost (it holds only zero bytes); copy it again"
ZEROS = 512  # bytes; no compressed picture ends in so many
COMPRESSION, DEFLATE = 259, (8, 32946)  # a TIFF's tag, and what it says of Deflate
PIECES = ((273, 279), (324, 325))  # tags of offsets and lengths of strips and tiles
PIECE = 2**20  # bytes that are unpacked at a time
MOST_UNPACKED = 10**9  # bytes


def damage(picture: Image.Image, file: BinaryIO) -> str:
    """What is wrong with the data of an opened picture, with a remedy; '' if nothing is."""
    file.seek(0)
    if picture.format in ("JPEG", "MPO"):
        return _jpeg_damage(file.read())
    if picture.format == "PNG" and not _png_is_whole(file):
        return DAMAGED
    if picture.format == "TIFF" and not _tiff_is_whole(file, picture.tag_v2):
        return DAMAGED
    if picture.format in ("WEBP", "AVIF"):
        file.seek(max(file.seek(0, os.SEEK_END) - ZEROS, 0))
        return "" if any(file.read()) else CUT_SHORT
    return ""


def _jpeg_damage(data: bytes) -> str:
    """Whether libjpeg warns of corrupt data, which it decodes all the same.

    Its warnings go to standard error only, here through OpenCV.
    """
    segments = list(jpeg_segments(data))
    scan = max((start for marker, start, _ in segments if marker == SCAN), default=len(data))
    end = data.find(b"\xff\xd9", scan)
    if end < 0:  # where zeros or garbage fill the rest, libjpeg may see pixels in them to the last
        return ENDLESS_JPEG
    if data.count(b"\xff\xda", scan, end) > MOST_SCANS:
        return f"a JPEG of more than {MOST_SCANS} scans; export it again"
    # Of all oddities it names the first alone, which may be a harmless one of some application's.
    bare = [data[a:b] for marker, a, b in segments if marker not in (*NOT_PIXELS, SCAN)]
    bare = np.frombuffer(b"".join([data[:2], *bare, data[scan:]]), np.uint8)
    with tempfile.TemporaryFile() as said:
        usual = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            cv2.imdecode(bare, cv2.IMREAD_REDUCED_GRAYSCALE_8)
        finally:
            os.dup2(usual, 2)
            os.close(usual)
        said.seek(0)
        return DAMAGED_JPEG if SCRAMBLED.search(said.read()) else ""


def _png_is_whole(file: BinaryIO) -> bool:
    """Whether the checksums of a PNG's pixels fit: decoders stop at the last pixel, before the
    last checksum."""
    file.seek(8)
    while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        length = int.from_bytes(head[:4], "big")
        if head[4:] != b"IDAT":
            file.seek(length + 4, os.SEEK_CUR)
            continue
        total = zlib.crc32(file.read(length), zlib.crc32(b"IDAT"))
        if file.read(4) != struct.pack(">I", total):
            return False
    return True


def _tiff_is_whole(file: BinaryIO, tags) -> bool:
    """The same for a TIFF compressed by Deflate, whose strips or tiles end in a checksum."""
    if tags.get(COMPRESSION) not in DEFLATE:
        return True
    left = MOST_UNPACKED
    for offsets, lengths in PIECES:
        for offset, length in zip(tags.get(offsets, ()), tags.get(lengths, ()), strict=True):
            file.seek(offset)
            packed, unpacking = file.read(length), zlib.decompressobj()
            while packed and not unpacking.eof and left > 0:
                left -= len(unpacking.decompress(packed, PIECE))
                packed = unpacking.unconsumed_tail
            if not unpacking.eof:
                return False
    return True
