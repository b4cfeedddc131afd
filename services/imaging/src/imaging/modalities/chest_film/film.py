"""A DICOM instance becomes a chest film: grey values with more meaning whiter, and the view that its tags name.

What is no readable chest film is refused with a problem in words that hold no patient data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.domain import dicom
from imaging.domain.modality import UnreadableImageError

RADIOGRAPHY = frozenset({"CR", "DX"})
CHEST = frozenset({"", "CHEST", "THORAX", "LUNG"})


@dataclass(frozen=True, slots=True)
class Film:
    """Grey values [rows, columns] in 0..1, white is dense, and what the tags say."""

    pixels: NDArray[np.float32]
    view: str
    """ViewPosition as PA, AP or LL; empty when the tag is absent or something else."""


def read_film(picture: dicom.Picture) -> Film:
    """UnreadableImageError says why it is not a film."""
    _require_chest_radiograph(picture)
    return Film(dicom.grey_image(picture), _view(picture))


def _require_chest_radiograph(picture: dicom.Picture) -> None:
    if dicom.text(picture, "Modality") not in RADIOGRAPHY:
        raise UnreadableImageError("not a chest film: the modality is not CR or DX")
    if dicom.text(picture, "BodyPartExamined") not in CHEST:
        raise UnreadableImageError("not a chest film: the body part is another one")


def _view(picture: dicom.Picture) -> str:
    """ViewPosition (0018,5101); lateral views of either side are LL."""
    view = dicom.text(picture, "ViewPosition")
    if view in {"PA", "AP"}:
        return view
    return "LL" if view in {"LL", "RL", "LAT", "LATERAL", "LLD", "RLD"} else ""
