"""Builders of images and pages, drawn here, nobody's data; and a second modality."""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from imaging import modalities
from imaging.domain.modality import Modality
from imaging.modalities.chest_film.training.phantom import draw_phantom
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

FilmFile = Callable[..., bytes]
PageFile = Callable[..., bytes]


def _dicom(pixels: NDArray[np.uint16], tags: dict[str, Any]) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = UID("2.25.1")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, "2.25.1"
    dataset.Modality, dataset.BodyPartExamined = "DX", "CHEST"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PixelData = pixels.astype("<u2").tobytes()
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture
def film_file() -> FilmFile:
    """`film_file(pixels, Tag=value)`: a 12-bit DX film, a drawn chest unless pixels are given; None removes a tag."""

    def build(pixels: NDArray[np.uint16] | None = None, seed: int = 1, *, opacity: bool = False, **tags: Any) -> bytes:
        if pixels is None:
            pixels = (draw_phantom(seed, opacity=opacity).film * 4095).astype(np.uint16)
        return _dicom(pixels, tags)

    return build


@pytest.fixture
def lab_page() -> PageFile:
    """`lab_page(rows, identifier=..., collected=...)`: a printed table at 150 dpi as PNG."""

    def build(
        rows: list[tuple[str, str, str, str]],
        identifier: str = "NW-204417",
        collected: str = "2025-07-08 07:45",
        turned_degrees: float = 0.0,
    ) -> bytes:
        page = Image.new("L", (1120, 260 + 60 * (len(rows) + 2)), 250)
        draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=26)
        draw.text((110, 60), "Example Laboratory - Report", font=font, fill=20)
        draw.text((110, 120), f"Patient ID: {identifier}", font=font, fill=20)
        draw.text((110, 165), f"Collected: {collected}", font=font, fill=20)
        for number, cells in enumerate((("Analyte", "Result", "Unit", "Reference"), *rows)):
            for left, cell in zip((110, 460, 640, 860), cells, strict=True):
                draw.text((left, 240 + 60 * number), cell, font=font, fill=20)
        buffer = io.BytesIO()
        page.rotate(turned_degrees, Image.Resampling.BICUBIC, fillcolor=250).save(buffer, "PNG")
        return buffer.getvalue()

    return build


@pytest.fixture
def with_skin_photo() -> Iterator[tuple[Modality[Any], ...]]:
    """What the service knows once tests/modalities/skin_photo lies beside its own modalities."""
    folder = str(Path(__file__).parent / "modalities")
    modalities.__path__.append(folder)
    yield modalities.known()
    modalities.__path__.remove(folder)
    for name in [name for name in sys.modules if name.startswith("imaging.modalities.skin_photo")]:
        del sys.modules[name]


@pytest.fixture
def photo_file() -> FilmFile:
    """`photo_file(spots)`: a DICOM photograph of bright skin with this many dark spots, 40 by 30 pixels each."""

    def build(spots: int) -> bytes:
        photo = np.full((300, 400), 3000, np.uint16)
        photo[0, 0], photo[0, 1] = 0, 4095
        for spot in range(spots):
            photo[100:130, 40 + 80 * spot : 80 + 80 * spot] = 10 * spot
        return _dicom(photo, {"Modality": "XC", "BodyPartExamined": "ARM"})

    return build
