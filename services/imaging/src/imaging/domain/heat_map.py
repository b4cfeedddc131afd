"""Draws what decided: the film with a finding's evidence laid over it, and the region where most of it lies."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LARGEST_SIDE = 768
# Evidence weaker than this share of the strongest is not drawn and not counted into the region.
LEAST_SHARE = 0.45
OPACITY = 0.55


def overlay_png(film: NDArray[np.float32], evidence: NDArray[np.float32]) -> bytes:
    """[rows, columns] in 0..1 and a map [h, w] -> PNG of at most LARGEST_SIDE a side; same input, same bytes."""
    scale = min(1.0, LARGEST_SIDE / max(film.shape))
    size = (max(1, round(film.shape[1] * scale)), max(1, round(film.shape[0] * scale)))
    grey = cv2.resize(film, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(_share(evidence), size, interpolation=cv2.INTER_CUBIC).clip(0.0, 1.0)
    colour = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO).astype(np.float32)
    weight = (OPACITY * np.clip((share - LEAST_SHARE) / (1 - LEAST_SHARE), 0.0, 1.0))[..., None]
    blended = (1 - weight) * (grey * 255)[..., None] + weight * colour
    _, encoded = cv2.imencode(".png", blended.clip(0, 255).astype(np.uint8))
    return bytes(encoded)


def region(evidence: NDArray[np.float32]) -> tuple[float, float, float, float] | None:
    """(left, top, width, height) in fractions around the strongest evidence; None if nothing speaks for the finding."""
    share = _share(evidence)
    if share.max() <= 0.0:
        return None
    _, labels = cv2.connectedComponents((share >= LEAST_SHARE).astype(np.uint8))
    strongest = labels[np.unravel_index(int(share.argmax()), share.shape)]
    rows, columns = np.nonzero(labels == strongest)
    height, width = share.shape
    left, top = columns.min() / width, rows.min() / height
    return float(left), float(top), float((columns.max() + 1) / width - left), float((rows.max() + 1) / height - top)


def _share(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Evidence for the finding as a share of its strongest point; what speaks against it counts nothing."""
    positive = np.maximum(evidence.astype(np.float32), 0.0)
    peak = float(positive.max())
    return positive / peak if peak > 0 else positive
