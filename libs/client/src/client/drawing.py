"""A course, or a curve of figures by step, as a picture: in characters for a terminal, or as an SVG or PNG file.

Guarantee: the values and days at its turning points stand beside it, so that nothing is read off a line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from io import BytesIO
from itertools import pairwise
from typing import NamedTuple, Protocol
from xml.sax.saxutils import escape

from longitude.reasoning.v1.assessment_pb2 import Course
from PIL import Image, ImageDraw, ImageFont

from client.terminal import visible

# Characters of the picture in a terminal; each holds two by four dots.
COLUMNS, ROWS = 56, 5
_ACROSS, _DOWN, _BLANK = 2, 4, 0x2800
# Bits of the dots of a braille character, by column and row (Unicode, Braille Patterns).
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
# Pixels of a panel of a file, and of its margins; of a title, a letter, a dot and the line.
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 720, 240, 60, 46, 40
_HEAD, _LETTER, _DOT, _LINE = 14, 12, 3, 1.5
_INK, _BLUE = "#222", "#1f6feb"
_STYLE = f'font-family="sans-serif" font-size="{_LETTER}" fill="{_INK}"'
# Dots of a PNG for each pixel.
_SHARP = 2


class Placed(Protocol):
    """Anything with a place in the picture: `x` and `y` from 0 to 1, `y` upwards."""

    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...


class Place(NamedTuple):
    """A place and nothing else."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a day; `x` and `y` from 0 to 1, `y` upwards."""

    x: float
    y: float
    value: str
    day: date
    turning: bool


def points(course: Course) -> list[Point]:
    """The points of a course, scaled; none where a value is no number."""
    try:
        values = [float(each.value) for each in course.points]
    except ValueError:
        return []
    times = [each.at.seconds for each in course.points]
    across, up = _scale(times), _scale(values)
    return [
        Point(x, y, each.value, each.at.ToDatetime(tzinfo=UTC).date(), each.turning)
        for x, y, each in zip(across, up, course.points, strict=True)
    ]


def lines(course: Course) -> list[str]:
    """The picture for a terminal: the highest and lowest value at its side, the first and last day below it."""
    drawn = points(course)
    if len(drawn) < 2:
        return []
    highest, lowest = (edge(drawn, key=lambda each: each.y) for edge in (max, min))
    margin = max(len(highest.value), len(lowest.value))
    sides = [highest.value, *[""] * (ROWS - 2), lowest.value]
    body = [f"{side:>{margin}} ┤{row}" for side, row in zip(sides, _braille(drawn), strict=True)]
    first, last = _told(drawn[0]), _told(drawn[-1])
    between = [_told(each) for each in drawn[1:-1] if each.turning]
    under = f"{'':{margin}}  {first}{last:>{max(len(last) + 1, COLUMNS - len(first))}}"
    said = [f"{'':{margin}}  between: {', '.join(between)}"] if between else []
    return [_title(course), *body, under, *said]


def curve(name: str, steps: Sequence[int], values: Sequence[float]) -> list[str]:
    """Numbers by step, for a terminal: the highest and lowest at its side, the first and last step below it."""
    drawn = [Place(x, y) for x, y in zip(_scale(steps), _scale(values), strict=True)]
    if len(drawn) < 2:
        return []
    sides = [f"{max(values):.4g}", *[""] * (ROWS - 2), f"{min(values):.4g}"]
    margin = max(map(len, sides))
    body = [f"{side:>{margin}} ┤{row}" for side, row in zip(sides, _braille(drawn), strict=True)]
    first, last = f"{values[0]:.4g} (step {steps[0]})", f"{values[-1]:.4g} (step {steps[-1]})"
    return [name, *body, f"{'':{margin}}  {first}{last:>{max(len(last) + 1, COLUMNS - len(first))}}"]


def svg(courses: Iterable[Course]) -> str:
    """A panel for each course, one below the other; empty where there is nothing to draw."""
    panels = [_panel(course, each, place) for place, (course, each) in enumerate(_drawn(courses))]
    if not panels:
        return ""
    box = f"0 0 {_WIDTH} {_HEIGHT * len(panels)}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">\n{"".join(panels)}</svg>\n'


def png(courses: Iterable[Course]) -> bytes:
    """The same as a picture of dots."""
    drawn = _drawn(courses)
    if not drawn:
        return b""
    image = Image.new("RGB", (_SHARP * _WIDTH, _SHARP * _HEIGHT * len(drawn)), "white")
    for place, (course, each) in enumerate(drawn):
        _paint(ImageDraw.Draw(image), course, each, place * _HEIGHT)
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _drawn(courses: Iterable[Course]) -> list[tuple[Course, list[Point]]]:
    """The courses that have two points or more."""
    scaled = ((course, points(course)) for course in courses)
    return [(course, each) for course, each in scaled if len(each) > 1]


def _paint(on: ImageDraw.ImageDraw, course: Course, drawn: Sequence[Point], top: int) -> None:
    font, dot = ImageFont.load_default(_SHARP * _LETTER), _SHARP * _DOT
    on.text(_dots_of(_LEFT, top + 20), _plain(_title(course)), _INK, ImageFont.load_default(_SHARP * _HEAD), "ls")
    path = [_dots_of(_across(each), top + _up(each)) for each in drawn]
    on.line(path, _BLUE, round(_SHARP * _LINE), "curve")
    for each, (x, y) in zip(drawn, path, strict=True):
        if each.turning:
            on.ellipse((x - dot, y - dot, x + dot, y + dot), _BLUE)
            at = _dots_of(_across(each), top + _up(each) + _beside(each, drawn))
            on.text(at, _told(each), _INK, font, _ANCHORS[_anchor(each, drawn)])


def _plain(text: str) -> str:
    """In the letters that Pillow's own font has: those without marks; of others a question mark."""
    apart = unicodedata.normalize("NFKD", visible(text)).replace("μ", "u")
    kept = "".join(each for each in apart if not unicodedata.combining(each))
    return kept.encode("ascii", "replace").decode()


# Pillow's words for where a text is anchored: left, middle, right, on the base line.
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def _dots_of(x: float, y: float) -> tuple[float, float]:
    return _SHARP * x, _SHARP * y


def _scale(numbers: Sequence[float]) -> list[float]:
    """From 0 to 1; all in the middle where they are the same."""
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    return [(each - low) / (high - low) if high > low else 0.5 for each in numbers]


def _braille(drawn: Sequence[Placed]) -> list[str]:
    width, height = COLUMNS * _ACROSS, ROWS * _DOWN
    cells = [[_BLANK] * COLUMNS for _ in range(ROWS)]
    for x, y in _dots(drawn, width - 1, height - 1):
        cells[y // _DOWN][x // _ACROSS] |= _DOTS[x % _ACROSS][y % _DOWN]
    return ["".join(map(chr, row)) for row in cells]


def _dots(drawn: Sequence[Placed], right: int, bottom: int) -> Iterable[tuple[int, int]]:
    """The dots of the line from point to point; `y` downwards."""
    for one, other in pairwise(drawn):
        steps = max(1, round(abs(other.x - one.x) * right), round(abs(other.y - one.y) * bottom))
        for step in range(steps + 1):
            share = step / steps
            x = one.x + (other.x - one.x) * share
            y = one.y + (other.y - one.y) * share
            yield round(x * right), round((1 - y) * bottom)


def _title(course: Course) -> str:
    return f"{course.name}, {course.unit}" if course.unit else course.name


def _told(point: Point) -> str:
    return f"{point.value} ({point.day.isoformat()})"


def _panel(course: Course, drawn: Sequence[Point], place: int) -> str:
    path = " ".join(f"{_across(each):.1f},{_up(each):.1f}" for each in drawn)
    marks = "".join(_mark(each, drawn) for each in drawn if each.turning)
    return (
        f'<g transform="translate(0,{place * _HEIGHT})">\n'
        f'<text x="{_LEFT}" y="20" {_STYLE} font-weight="bold">{escape(visible(_title(course)))}</text>\n'
        f'<polyline points="{path}" fill="none" stroke="{_BLUE}" stroke-width="{_LINE}"/>\n{marks}</g>\n'
    )


def _mark(point: Point, drawn: Sequence[Point]) -> str:
    """A dot with its value and day: above where it is high, below where it is low."""
    x, y = _across(point), _up(point)
    anchor, text = _anchor(point, drawn), y + _beside(point, drawn)
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_DOT}" fill="{_BLUE}"/>\n'
        f'<text x="{x:.1f}" y="{text:.1f}" text-anchor="{anchor}" {_STYLE}>{_told(point)}</text>\n'
    )


def _anchor(point: Point, drawn: Sequence[Point]) -> str:
    return "start" if point is drawn[0] else "end" if point is drawn[-1] else "middle"


def _beside(point: Point, drawn: Sequence[Point]) -> int:
    """How far below its dot a text stands."""
    return 16 if point.y < min(0.5, max(each.y for each in drawn)) else -8


def _across(point: Point) -> float:
    return _LEFT + point.x * (_WIDTH - 2 * _LEFT)


def _up(point: Point) -> float:
    return _TOP + (1 - point.y) * (_HEIGHT - _TOP - _BOTTOM)
