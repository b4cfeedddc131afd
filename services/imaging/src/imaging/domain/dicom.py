"""A DICOM part 10 file read within bounds, for every modality: its tags, and the grey values as it wants them shown.

What cannot be read is refused with a problem in words that hold no patient data; nothing here raises anything else.
"""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from imaging.domain.modality import UnreadableImageError

# pydicom quotes the values that it complains about, in warnings and in its log: they may identify a patient.
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
MOST_PIXELS = 36_000_000
"""6,000 x 6,000: no detector is larger, and decoding stays under 300 MB."""


def parse(data: bytes) -> Dataset:
    """The tags; the pixels are not decoded yet."""
    try:
        return pydicom.dcmread(io.BytesIO(data))
    except InvalidDicomError:
        raise UnreadableImageError("not a DICOM file") from None
    except Exception:  # noqa: BLE001 - pydicom raises many types on damaged files, and their texts quote values
        raise UnreadableImageError("damaged DICOM file") from None


def grey_image(dataset: Dataset) -> NDArray[np.float32]:
    """One grey frame, [rows, columns] in 0..1, white is dense. A uniform image is zeros."""
    if "PixelData" not in dataset:
        raise UnreadableImageError("no pixels in the file")
    shown = text(dataset, "PhotometricInterpretation")
    if number(dataset, "SamplesPerPixel", 1) != 1 or shown not in _GREY:
        raise UnreadableImageError("not a grey-scale image")
    values = _unit_range(_windowed(dataset, frame(dataset)))
    return 1.0 - values if shown == "MONOCHROME1" else values


def frame(dataset: Dataset) -> NDArray[Any]:
    """The stored values of an image of one frame, of any colour model: [rows, columns] or [rows, columns, samples]."""
    if number(dataset, "NumberOfFrames", 1) != 1:
        raise UnreadableImageError("more than one frame")
    rows, columns = number(dataset, "Rows", 0), number(dataset, "Columns", 0)
    if not 0 < rows * columns <= MOST_PIXELS:
        raise UnreadableImageError("the image has no pixels, or more than 36 million")
    if number(dataset, "BitsStored", 0) not in range(8, 17):
        raise UnreadableImageError("the depth is not 8 to 16 bits")
    return _decode(dataset)


def text(dataset: Dataset, keyword: str) -> str:
    """A tag in upper case; empty when it is not there."""
    return str(dataset.get(keyword, "") or "").strip().upper()


def number(dataset: Dataset, keyword: str, otherwise: int) -> int:
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
    try:
        shown = apply_voi_lut(apply_modality_lut(raw, dataset), dataset)
    except Exception:  # noqa: BLE001 - a malformed table: the image is readable without it
        shown = raw
    return np.asarray(shown, dtype=np.float32)


def _unit_range(values: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = float(values.min()), float(values.max())
    scaled: NDArray[np.float32] = (values - low) / max(high - low, 1e-6)
    return scaled
