"""Files made to exhaust their decoder: a problem in words, within bounds of memory, and the next file is read."""

import asyncio
import io
from collections.abc import Callable

import numpy as np
import pytest
from imaging.adapters.converter import DAMAGED, Converter
from imaging.domain.dicom import Picture, grey_image
from imaging.domain.modality import UnreadableImageError
from imaging.domain.page import TextPage
from imaging.domain.scan import TOO_MANY_PIXELS, Scan, UnreadableDocumentError
from PIL import Image
from servicekit.bounded import Bounds
from testkit import bombs
from testkit.files import pdf
from testkit.memory import peak_of

MIB = 1024 * 1024
BOUNDS = Bounds(memory_bytes=512 * MIB, cpu_seconds=20, wall_seconds=120, answer_bytes=256 * MIB)
# The decoders themselves, as they lie in memory once loaded.
LOADED = 200
PDF, RTF, XML, TEXT = "application/pdf", "application/rtf", "application/xml", "text/plain"
FilmFile = Callable[..., bytes]


def converted(*files: tuple[bytes, str], bounds: Bounds = BOUNDS) -> list[object]:
    """For each file its pages, its picture or its problem."""

    async def one(converter: Converter, data: bytes, media_type: str) -> object:
        try:
            if media_type == "application/dicom":
                return await converter.picture(data)
            return await converter.pages(data, media_type)
        except (UnreadableDocumentError, UnreadableImageError) as error:
            return str(error)

    async def every() -> list[object]:
        async with Converter.running(bounds, 2, 32 * MIB) as converter:
            return [await one(converter, *file) for file in files]

    return asyncio.run(every())


def peak(data: bytes, media_type: str, bounds: Bounds = BOUNDS) -> int:
    return peak_of(lambda: converted((data, media_type), bounds=bounds))


def is_letter(pages: object) -> bool:
    return pages == [TextPage(1, "A letter.")]


BOMBS: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "deflated DICOM": (lambda: bombs.deflated_dicom(600), "application/dicom", "too large to be read"),
    "a PDF's stream": (lambda: bombs.pdf(1000), PDF, DAMAGED),
    "a PDF's picture": (lambda: bombs.pdf_of_a_picture(20_000), PDF, TOO_MANY_PIXELS),
    "a PDF within a CDA": (lambda: bombs.cda(bombs.pdf(1000)), XML, DAMAGED),
    "elements of XML": (lambda: bombs.xml(30), XML, DAMAGED),
    "a picture of 400 million pixels": (lambda: bombs.png(20_000, "1"), "image/png", TOO_MANY_PIXELS),
    "21 pages of a fax": (lambda: bombs.tiff(64, 21), "image/tiff", "more than 20 pages"),
    "a text of 2 MB": (lambda: b"a word " * 300_000, TEXT, "the text is too long"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_problem_within_its_bound_and_the_next_file_is_read(name: str) -> None:
    make, media_type, reason = BOMBS[name]
    data = make()
    problem, letter = converted((data, media_type), (pdf("A letter."), PDF))
    assert problem == reason
    assert is_letter(letter)
    assert peak(data, media_type) < LOADED + 512


@pytest.mark.parametrize("declared", [9_000, 13_000])
def test_a_jpeg_2000_that_is_larger_than_its_file_says_is_not_decoded(declared: int) -> None:
    data = bombs.lying_jpeg2000_dicom(declared)
    (picture,) = converted((data, "application/dicom"))
    assert isinstance(picture, Picture)
    assert picture.problem == "the compressed image has another size than the file says"
    assert peak(data, "application/dicom") < LOADED


def test_a_jpeg_2000_that_says_the_truth_is_read() -> None:
    (picture,) = converted((bombs.lying_jpeg2000_dicom(64), "application/dicom"))
    assert isinstance(picture, Picture)
    assert grey_image(picture).shape == (64, 64)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16", "RGB"])
def test_the_largest_page_is_read_within_the_bound_in_any_mode(mode: str) -> None:
    data = bombs.png(6_300, mode)
    (pages,) = converted((data, "image/png"))
    assert isinstance(pages, list)
    assert [(page.width, page.height) for page in pages if isinstance(page, Scan)] == [(2400, 2400)]
    assert peak(data, "image/png") < LOADED + 400


def test_several_of_the_largest_pages_take_no_more_than_one() -> None:
    data = bombs.tiff(6_300, 6)
    (pages,) = converted((data, "image/tiff"), bounds=Bounds(512 * MIB, 60, 300, 256 * MIB))
    assert isinstance(pages, list)
    assert len(pages) == 6
    assert peak(data, "image/tiff", Bounds(512 * MIB, 60, 300, 256 * MIB)) < LOADED + 400


def test_the_largest_film_is_read_within_the_bound(film_file: FilmFile) -> None:
    data = film_file(np.arange(36_000_000, dtype=np.uint32).reshape(6000, 6000).astype(np.uint16))
    (picture,) = converted((data, "application/dicom"))
    assert isinstance(picture, Picture)
    assert picture.pixels.shape == (6000, 6000)


def test_a_page_that_a_camera_turned_stands_upright() -> None:
    page, exif, buffer = Image.new("L", (300, 200), 255), Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    page.save(buffer, "JPEG", exif=exif)
    (pages,) = converted((buffer.getvalue(), "image/jpeg"))
    assert isinstance(pages, list)
    assert [(page.width, page.height) for page in pages] == [(200, 300)]


def test_nul_characters_are_no_text() -> None:
    (pages,) = converted((b"No known\0 allergies", TEXT))
    assert pages == [TextPage(0, "No known allergies")]
