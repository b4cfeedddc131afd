"""A DICOM part 10 file read within bounds, for every modality: its tags, and the grey values as it wants them shown.

What cannot be read is refused with a problem in words that hold no patient data; nothing here raises anything else.
`read` runs in a process of its own (`imaging.adapters.converter`), since decoders of pixels are native code.
"""

from __future__ import annotations

import io
import json
import logging
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom
from contracts import part10
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.errors import InvalidDicomError
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from imaging.domain.code_stream import size_of
from imaging.domain.modality import UnreadableImageError

# pydicom quotes the values that it complains about, in warnings and in its log: they may identify a patient.
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
MOST_PIXELS = 36_000_000
"""6,000 x 6,000: no detector is larger."""
MOST_INFLATED = 256 * 1024 * 1024
"""Bytes of a deflated data set."""
NO_PIXELS, NOT_GREY = "no pixels in the file", "not a grey-scale image"
# Groups of tags about image, equipment and acquisition; those of the patient stay where they are.
_GROUPS = frozenset({0x0008, 0x0018, 0x0020, 0x0028})
_SHORT = frozenset({"CS", "DA", "DS", "DT", "IS", "LO", "SH", "SS", "TM", "UI", "US"})
_LONGEST_TAG = 64
_TYPES = frozenset({"float32", "uint8", "int8", "uint16", "int16"})
_ALIGNED = 64
# Rows of an image that are windowed at a time: pydicom computes in 64 bits.
_STRIP = 256


@dataclass(frozen=True, slots=True)
class Picture:
    """What a file shows and says: grey values as `grey_image` gives them, or the stored values of a coloured image."""

    tags: Mapping[str, str]
    """Short tags about the image by their keywords, in upper case."""
    pixels: NDArray[Any]
    problem: str = ""
    """Why there are no pixels."""

    def to_bytes(self) -> bytes:
        """A line of JSON that ends where pixels can be read in place, and the pixels."""
        head = {"tags": self.tags, "shape": self.pixels.shape, "type": self.pixels.dtype.name, "problem": self.problem}
        line = json.dumps(head).encode()
        return b"".join([line.ljust(-(-(len(line) + 1) // _ALIGNED) * _ALIGNED - 1), b"\n", self.pixels.data])

    @classmethod
    def from_bytes(cls, data: bytearray) -> Picture:
        """ValueError for what is none."""
        start = data.index(b"\n") + 1
        said = json.loads(data[:start])
        count = math.prod(said["shape"])
        if said["type"] not in _TYPES:
            raise ValueError("no picture")
        pixels = np.frombuffer(data, said["type"], count, start) if count else np.zeros(0, said["type"])
        return cls(said["tags"], pixels.reshape(said["shape"]), said["problem"])


def read(data: bytes) -> Picture:
    """UnreadableImageError when it is no DICOM file; what is wrong with its pixels is said when they are asked for."""
    dataset = _parse(data)
    tags = dict(_tags(dataset))
    try:
        return Picture(tags, np.ascontiguousarray(_grey(dataset) if _is_grey(tags) else _frame(dataset)))
    except UnreadableImageError as error:
        return Picture(tags, np.zeros((0, 0), np.uint8), str(error))


def grey_image(picture: Picture) -> NDArray[np.float32]:
    """One grey frame, [rows, columns] in 0..1, white is dense. A uniform image is zeros."""
    if picture.problem != NO_PIXELS and not _is_grey(picture.tags):
        raise UnreadableImageError(NOT_GREY)
    return frame(picture)


def frame(picture: Picture) -> NDArray[Any]:
    """The values of an image of one frame, of any colour model: [rows, columns] or [rows, columns, samples]."""
    if picture.problem:
        raise UnreadableImageError(picture.problem)
    return picture.pixels


def text(picture: Picture, keyword: str) -> str:
    """A tag in upper case; empty when it is not there."""
    return picture.tags.get(keyword, "")


def _tags(dataset: Dataset) -> Iterator[tuple[str, str]]:
    for tag in dataset.keys():  # noqa: SIM118 - going over the data set itself would decode the pixels
        if tag.group not in _GROUPS:
            continue
        try:
            element = dataset[tag]
            value = _text(dataset, element.keyword) if element.VR in _SHORT else ""
        except Exception:  # noqa: BLE001, S112 - a damaged value is a tag that is not there
            continue
        if value and len(value) <= _LONGEST_TAG:
            yield element.keyword, value


def _is_grey(tags: Mapping[str, str]) -> bool:
    return tags.get("SamplesPerPixel", "1") == "1" and tags.get("PhotometricInterpretation", "") in _GREY


def _parse(data: bytes) -> Dataset:
    """The tags; the pixels are not decoded yet."""
    try:
        return pydicom.dcmread(io.BytesIO(part10.inflated(data, MOST_INFLATED)))
    except InvalidDicomError:
        raise UnreadableImageError("not a DICOM file") from None
    except part10.TooLargeError:
        raise UnreadableImageError("too large to be read") from None
    except Exception:  # noqa: BLE001 - pydicom raises many types on damaged files, and their texts quote values
        raise UnreadableImageError("damaged DICOM file") from None


def _grey(dataset: Dataset) -> NDArray[np.float32]:
    values = _unit_range(_windowed(dataset, _frame(dataset)))
    return (
        np.subtract(1.0, values, out=values) if _text(dataset, "PhotometricInterpretation") == "MONOCHROME1" else values
    )


def _frame(dataset: Dataset) -> NDArray[Any]:
    if "PixelData" not in dataset:
        raise UnreadableImageError(NO_PIXELS)
    if _number(dataset, "NumberOfFrames", 1) != 1:
        raise UnreadableImageError("more than one frame")
    rows, columns = _number(dataset, "Rows", 0), _number(dataset, "Columns", 0)
    samples = _number(dataset, "SamplesPerPixel", 1)
    if not 0 < rows * columns <= MOST_PIXELS or samples not in {1, 3}:
        raise UnreadableImageError("the image has no pixels, or more than 36 million")
    if _number(dataset, "BitsStored", 0) not in range(8, 17):
        raise UnreadableImageError("the depth is not 8 to 16 bits")
    _check_code_stream(dataset, (rows, columns, samples))
    return _decode(dataset)


def _check_code_stream(dataset: Dataset, declared: tuple[int, int, int]) -> None:
    """The tags were looked at; a decoder makes room for what the code stream says."""
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is None or not syntax.is_compressed:
        return
    try:
        stream = get_frame(dataset.PixelData, 0, number_of_frames=1)
    except Exception:  # noqa: BLE001 - fragments that are none, of many types: the decoder says what is wrong
        return
    if size_of(stream) not in {None, declared}:
        raise UnreadableImageError("the compressed image has another size than the file says")


def _text(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword, "") or "").strip().upper()


def _number(dataset: Dataset, keyword: str, otherwise: int) -> int:
    """Absent tags count as `otherwise`, unreadable ones as -1, which no check lets through."""
    value = dataset.get(keyword, otherwise)
    try:
        return int(otherwise if value in (None, "") else value)
    except (TypeError, ValueError):
        return -1


def _decode(dataset: Dataset) -> NDArray[Any]:
    """With the decoders that are installed: uncompressed, RLE, JPEG baseline, JPEG 2000."""
    try:
        return np.asarray(dataset.pixel_array)
    except (RuntimeError, NotImplementedError):
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        if syntax is not None and syntax.is_compressed:
            raise UnreadableImageError(f"no decoder for the transfer syntax {syntax.name}") from None
        raise UnreadableImageError("the pixels cannot be decoded") from None
    except Exception:  # noqa: BLE001 - truncated or inconsistent pixel data, again of many types
        raise UnreadableImageError("the pixels cannot be decoded") from None


def _windowed(dataset: Dataset, raw: NDArray[Any]) -> NDArray[np.float32]:
    """Modality rescale, then the window or look-up table that the modality sends for display (PS3.3 C.11)."""
    shown = np.empty(raw.shape, np.float32)
    try:
        for start in range(0, len(raw), _STRIP):
            strip = raw[start : start + _STRIP]
            shown[start : start + _STRIP] = apply_voi_lut(apply_modality_lut(strip, dataset), dataset)
    except Exception:  # noqa: BLE001 - a malformed table: the image is readable without it
        shown[:] = raw
    return shown


def _unit_range(values: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = float(values.min()), float(values.max())
    values -= low
    values /= max(high - low, 1e-6)
    return values
