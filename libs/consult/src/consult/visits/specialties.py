"""Specialties and the areas of medicine that each looks at: rows of `data/specialties.tsv`."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from terminology import areas, tables
from terminology.areas import Area

_COLUMNS = ("specialty", "words", "areas", "letters")


class UnknownSpecialtyError(ValueError):
    """No row has this specialty; the text lists those that are known."""


@dataclass(frozen=True, slots=True)
class Specialty:
    """`letters`: words of the titles of its letters and reports."""

    name: str
    areas: tuple[Area, ...]
    letters: tuple[str, ...]


def specialty(name: str) -> Specialty:
    """By its name or a word that people call it by; UnknownSpecialtyError."""
    wanted = "-".join(name.casefold().split())
    known = _by_word()
    if wanted not in known:
        raise UnknownSpecialtyError(f"specialty is one of {', '.join(specialties())}")
    return known[wanted]


def specialties() -> tuple[str, ...]:
    """The names of all, in alphabetical order."""
    return tuple(sorted({each.name for each in _by_word().values()}))


@cache
def _by_word() -> dict[str, Specialty]:
    found: dict[str, Specialty] = {}
    rows = tables.read("specialties", _COLUMNS, files("consult.visits") / "data")
    for row in rows:
        own = tuple(areas.known()[each] for each in row.several("areas"))
        made = Specialty(row["specialty"], own, row.several("letters"))
        found |= dict.fromkeys((row["specialty"], *row.several("words")), made)
    return found
