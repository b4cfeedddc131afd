"""Rows, text and boxes of a page."""

import math

import pytest
from imaging.domain.page import Line, Page


def line(text: str, x: float, y: float, degrees: float = 0.0, width: float = 100, height: float = 26) -> Line:
    """A box whose top left stands at (x, y), on a page turned about its origin."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    turned = [(cosine * a - sine * b, sine * a + cosine * b) for a, b in corners]
    return Line(text, 0.99, (turned[0], turned[1], turned[2], turned[3]))


def table(degrees: float = 0.0) -> Page:
    cells = [("Urea", 100, 140), ("Creatinine", 100, 100), ("121", 700, 103), ("9.3", 700, 139), ("umol/L", 900, 98)]
    return Page(1, 1200, 900, tuple(line(text, x, y, degrees) for text, x, y in cells))


@pytest.mark.parametrize("degrees", [0.0, 1.5, -1.5, 3.0])
def test_cells_of_one_text_line_form_a_row_however_the_page_lies(degrees: float) -> None:
    rows = [[cell.text for cell in row] for row in table(degrees).rows()]
    assert rows == [["Creatinine", "121", "umol/L"], ["Urea", "9.3"]]


def test_the_text_reads_row_by_row() -> None:
    assert table().text() == "Creatinine  121  umol/L\nUrea  9.3"


def test_a_box_is_in_fractions_and_stays_on_the_page() -> None:
    page = Page(1, 200, 100, (line("x", -10, 90, width=110),))
    assert page.box(page.lines) == pytest.approx((0.0, 0.9, 0.5, 0.1))


def test_an_empty_page_has_no_rows() -> None:
    assert Page(1, 10, 10, ()).rows() == []
    assert Page(1, 10, 10, ()).text() == ""
