"""A DICOM instance becomes a film: grey values with more meaning whiter, and the few tags that say how to read it.

What cannot be read is refused with a problem in words that hold no patient data; nothing here raises anything else.
"""

from __future__ import annotations

import io
import logging
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

# pydicom quotes the values that it complains about, in warnings and in its log: they may identify a patient.
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

RADIOGRAPHY = frozenset({"CR", "DX"})
CHEST = frozenset({"", "CHEST", "THORAX", "LUNG"})
GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
MOST_PIXELS = 36_000_000
"""6,000 x 6,000: no detector is larger, and decoding stays under 300 MB."""


class UnreadableFilmError(Exception):
    """The instance is no chest film that can be read; the text is the quality problem that is published."""


@dataclass(frozen=True, slots=True)
class Film:
    """Grey values [rows, columns] in 0..1, white is dense, and what the tags say."""

    pixels: NDArray[np.float32]
    view: str
    """ViewPosition as PA, AP or LL; empty when the tag is absent or something else."""


def read_film(data: bytes) -> Film:
    """Decode one DICOM part 10 file; UnreadableFilmError says why it is not a film."""
    dataset = _parse(data)
    _require_chest_radiograph(dataset)
    _require_plain_grey(dataset)
    pixels = _unit_range(_windowed(dataset, _decode(dataset)))
    return Film(1.0 - pixels if dataset.PhotometricInterpretation == "MONOCHROME1" else pixels, _view(dataset))


def _parse(data: bytes) -> Dataset:
    try:
        return pydicom.dcmread(io.BytesIO(data))
    except InvalidDicomError:
        raise UnreadableFilmError("not a DICOM file") from None
    except Exception:  # noqa: BLE001 - pydicom raises many types on damaged files, and their texts quote values
        raise UnreadableFilmError("damaged DICOM file") from None


def _require_chest_radiograph(dataset: Dataset) -> None:
    modality = _text(dataset, "Modality")
    if modality not in RADIOGRAPHY:
        raise UnreadableFilmError("not a chest film: the modality is not CR or DX")
    if _text(dataset, "BodyPartExamined") not in CHEST:
        raise UnreadableFilmError("not a chest film: the body part is another one")


def _require_plain_grey(dataset: Dataset) -> None:
    if "PixelData" not in dataset:
        raise UnreadableFilmError("no pixels in the file")
    if _number(dataset, "SamplesPerPixel", 1) != 1 or _text(dataset, "PhotometricInterpretation") not in GREY:
        raise UnreadableFilmError("not a grey-scale image")
    if _number(dataset, "NumberOfFrames", 1) != 1:
        raise UnreadableFilmError("more than one frame")
    rows, columns = _number(dataset, "Rows", 0), _number(dataset, "Columns", 0)
    if not 0 < rows * columns <= MOST_PIXELS:
        raise UnreadableFilmError("the image has no pixels, or more than 36 million")
    if _number(dataset, "BitsStored", 0) not in range(8, 17):
        raise UnreadableFilmError("the depth is not 8 to 16 bits")


def _decode(dataset: Dataset) -> NDArray[Any]:
    """With the decoders that are installed: uncompressed, RLE, JPEG baseline, JPEG 2000."""
    try:
        return np.asarray(dataset.pixel_array)
    except (RuntimeError, NotImplementedError):
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        if syntax is not None and syntax.is_compressed:
            raise UnreadableFilmError(f"no decoder for the transfer syntax {syntax.name}") from None
        raise UnreadableFilmError("the pixels cannot be decoded") from None
    except Exception:  # noqa: BLE001 - truncated or inconsistent pixel data, again of many types
        raise UnreadableFilmError("the pixels cannot be decoded") from None


def _windowed(dataset: Dataset, raw: NDArray[Any]) -> NDArray[np.float32]:
    """Modality rescale, then the window or look-up table that the modality sends for display (PS3.3 C.11)."""
    try:
        shown = apply_voi_lut(apply_modality_lut(raw, dataset), dataset)
    except Exception:  # noqa: BLE001 - a malformed table: the film is readable without it
        shown = raw
    return np.asarray(shown, dtype=np.float32)


def _unit_range(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A uniform image becomes zeros, which the quality check then names."""
    low, high = float(values.min()), float(values.max())
    scaled: NDArray[np.float32] = (values - low) / max(high - low, 1e-6)
    return scaled


def _view(dataset: Dataset) -> str:
    """ViewPosition (0018,5101); lateral views of either side are LL."""
    view = _text(dataset, "ViewPosition")
    if view in {"PA", "AP"}:
        return view
    return "LL" if view in {"LL", "RL", "LAT", "LATERAL", "LLD", "RLD"} else ""


def _text(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword, "") or "").strip().upper()


def _number(dataset: Dataset, keyword: str, otherwise: int) -> int:
    """Absent tags count as `otherwise`, unreadable ones as -1, which no check lets through."""
    value = dataset.get(keyword, otherwise)
    try:
        return int(otherwise if value in (None, "") else value)
    except (TypeError, ValueError):
        return -1
