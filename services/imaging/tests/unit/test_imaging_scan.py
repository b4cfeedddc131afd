"""Scanned documents as bytes."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from imaging.domain.scan import LONGEST_SIDE, MOST_PAGES, UnreadableDocumentError, read_scan
from PIL import Image

PageFile = Callable[..., bytes]
ROWS = [("Creatinine", "121", "umol/L", "49 - 90"), ("Potassium", "5.0", "mmol/L", "3.5 - 5.1")]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_images_of_each_kind_become_grey_pages(lab_page: PageFile, kind: str) -> None:
    image = Image.open(io.BytesIO(lab_page(ROWS))).convert("RGB")
    (scan,) = read_scan(encoded(image, kind))
    again = Image.open(io.BytesIO(scan.png))
    assert (again.format, again.mode, again.size) == ("PNG", "L", (scan.width, scan.height))
    assert not scan.blank


def test_every_page_of_a_tiff_is_read() -> None:
    pages = [Image.new("L", (300, 200), level) for level in (250, 240, 230)]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert len(read_scan(data)) == 3


def test_too_many_pages_are_refused() -> None:
    pages = [Image.new("L", (10, 10), 255)] * (MOST_PAGES + 1)
    with pytest.raises(UnreadableDocumentError, match="more than 20 pages"):
        read_scan(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))


def test_a_large_page_is_made_smaller() -> None:
    (scan,) = read_scan(encoded(Image.new("L", (3000, 4000), 255), "PNG"))
    assert (scan.width, scan.height) == (LONGEST_SIDE * 3 // 4, LONGEST_SIDE)


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(UnreadableDocumentError, match="too many pixels"):
        read_scan(bomb)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16", "P", "1"])
def test_paper_alone_is_blank_in_every_mode(mode: str) -> None:
    image = Image.new("I;16", (400, 400), 60_000) if mode == "I;16" else Image.new("L", (400, 400), 255).convert(mode)
    (scan,) = read_scan(encoded(image, "PNG"))
    assert scan.blank


def test_a_transparent_page_is_white_paper(lab_page: PageFile) -> None:
    ink = Image.open(io.BytesIO(lab_page(ROWS))).convert("L")
    clear = Image.new("RGBA", ink.size, (0, 0, 0, 0))
    clear.putalpha(ink.point(lambda level: 255 - level))
    (scan,) = read_scan(encoded(clear, "PNG"))
    assert np.asarray(Image.open(io.BytesIO(scan.png)))[2, 2] > 200
    assert not scan.blank


def test_every_truncation_of_a_png_is_refused(lab_page: PageFile) -> None:
    whole = lab_page(ROWS)
    for length in range(0, len(whole) - 40, 701):
        with pytest.raises(UnreadableDocumentError, match="unreadable image"):
            read_scan(whole[:length])


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"GIF89a\x01\x00\x01\x00"])
def test_what_is_no_image_we_read_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableDocumentError, match="not PNG, JPEG or TIFF"):
        read_scan(data)
