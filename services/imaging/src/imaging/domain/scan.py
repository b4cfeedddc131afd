"""Scanned documents: bytes of PNG, JPEG or TIFF become pages that the reader can take, within bounds.

Every refusal is a problem in words that hold nothing of the document; the caller publishes it instead of facts.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageSequence, UnidentifiedImageError

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/tiff", "image/tif"})
FORMATS = ("PNG", "JPEG", "TIFF")
MOST_PIXELS = 40_000_000
MOST_PAGES = 20
TOO_MANY_PIXELS = "the image has too many pixels"
LONGEST_SIDE = 2400
"""Pixels; larger pages are made smaller. An A4 page at 200 dpi is 2,339 pixels high, and print stays legible."""
# EXIF orientation (TIFF 6.0, tag 274) to what makes it upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
INK = 0.0005
"""Least share of pixels well darker than the paper on a page that carries anything."""


class UnreadableDocumentError(Exception):
    """The document cannot be read; the text is the problem that is published."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One page, numbered from 1: upright per its EXIF tag, grey, as PNG bytes."""

    number: int
    png: bytes
    width: int
    height: int
    blank: bool


def read_scan(data: bytes) -> list[Scan]:
    """All pages of an image file; UnreadableDocumentError if it is not one, is damaged, or is beyond the bounds."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _pages(data)
        except UnreadableDocumentError:
            raise
        except UnidentifiedImageError:
            raise UnreadableDocumentError("unreadable image: not PNG, JPEG or TIFF") from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise UnreadableDocumentError(TOO_MANY_PIXELS) from None
        except Exception:  # noqa: BLE001 - Pillow's decoders raise many types on damaged data
            raise UnreadableDocumentError("unreadable image: damaged or cut off") from None


def _pages(data: bytes) -> list[Scan]:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        if getattr(image, "n_frames", 1) > MOST_PAGES:
            raise UnreadableDocumentError(f"more than {MOST_PAGES} pages")
        return [scan(frame, number) for number, frame in enumerate(ImageSequence.Iterator(image), start=1)]


def scan(frame: Image.Image, number: int) -> Scan:
    """A picture as a page to be read."""
    if frame.width * frame.height > MOST_PIXELS:
        raise UnreadableDocumentError(TOO_MANY_PIXELS)
    turn = _TURNS.get(frame.getexif().get(ExifTags.Base.Orientation, 1))
    grey = _grey(frame)
    grey.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    grey = grey if turn is None else grey.transpose(turn)
    buffer = io.BytesIO()
    grey.save(buffer, "PNG", compress_level=1)
    return Scan(number, buffer.getvalue(), grey.width, grey.height, _blank(np.asarray(grey)))


def _grey(image: Image.Image) -> Image.Image:
    """Transparent paper is white, 16-bit grey is scaled, palettes and colours become grey.

    A large picture is never there more than twice, and in one channel where one is enough.
    """
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        coloured = image if image.mode in {"RGBA", "LA"} else image.convert("RGBA")
        paper = Image.new("L", coloured.size, "white")
        paper.paste(coloured.convert("L"), mask=coloured.getchannel("A"))
        return paper
    if image.mode.startswith(("I", "F")):
        values = np.array(image, dtype=np.float32)
        values -= values.min()
        values *= 255 / max(float(values.max()), 1.0)
        return Image.fromarray(values.astype(np.uint8))
    return image.convert("L")


def _blank(grey: NDArray[np.uint8]) -> bool:
    """Paper alone: hardly a pixel is clearly darker than most of the page."""
    paper = float(np.median(grey))
    return bool((grey < paper - 48).mean() < INK)
