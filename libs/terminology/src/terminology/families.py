"""Families of problems: what a physician calls one problem, over all code systems, with all its names.

Rows of `data/problem_families.tsv`. Guarantee: a family is reached by each of its names, and by each code whose prefix
it lists; a family within another is reached through it. A phrase of `data/not_problems.tsv` (diabetes insipidus,
pregnancy test) is no family, whatever name stands in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from terminology import tables
from terminology.naming import Lexicon, Mention, Name
from terminology.scan import american

COLUMNS = ("id", "name", "abbreviations", "ambiguous", "synonyms", "lay", "within", "icd10cm", "icd9cm", "source")
_PHRASES = ("words", "source")
_NO_FAMILY = ""
_EXCEPT = "!"


@dataclass(frozen=True, slots=True)
class Family:
    """One problem as a physician names it. `within` are the ids of the families that hold it."""

    id: str
    name: str
    abbreviations: tuple[str, ...]
    ambiguous: tuple[str, ...]
    synonyms: tuple[str, ...]
    lay: tuple[str, ...]
    within: tuple[str, ...]

    @property
    def names(self) -> tuple[Name, ...]:
        certain = (self.name, *self.abbreviations, *self.synonyms, *self.lay)
        return (
            *(Name(text, self.id) for text in certain),
            *(Name(text, self.id, ambiguous=True) for text in self.ambiguous),
        )


@cache
def known() -> dict[str, Family]:
    """All families by their id."""
    families = (
        Family(
            row["id"],
            row["name"],
            row.several("abbreviations"),
            row.several("ambiguous"),
            row.several("synonyms"),
            row.several("lay"),
            row.several("within"),
        )
        for row in _rows()
    )
    return {family.id: family for family in families}


def mentions(text: str) -> tuple[Mention, ...]:
    """Names of families in a text, where they stand; the keys of a mention are ids."""
    return tuple(mention for mention in _lexicon().mentions(text) if mention.keys != (_NO_FAMILY,))


def named(text: str) -> tuple[Family, ...]:
    """The families that a text names, in their order; of an ambiguous name, all that it may mean."""
    ids = (key for mention in mentions(text) for key in mention.keys)
    return tuple(known()[key] for key in dict.fromkeys(ids))


def by_name(text: str) -> tuple[str, ...]:
    """The ids of the one family that a text names whole and without doubt."""
    mention = _lexicon().exactly(text)
    return mention.keys if mention and mention.certain and mention.keys != (_NO_FAMILY,) else ()


def is_whole(mention: Mention) -> bool:
    """Whether a name means all of one family, so that to deny the name is to deny the family."""
    if not mention.certain:
        return False
    family = known()[mention.keys[0]]
    wholes = {_folded(name) for name in (family.name, *family.abbreviations)}
    return _folded(mention.text) in wholes or mention.text.casefold() in _whole_names()


@cache
def narrow() -> dict[str, str]:
    """Names, in lower case, that mean only a part of the family that lists them, and the first name of that part."""
    groups = (row.several("words") for row in tables.read("narrow_names", _PHRASES))
    return {name: group[0] for group in groups for name in group}


def _folded(name: str) -> str:
    """A name in one spelling: American, in the singular."""
    return american(name).removesuffix("s")


@cache
def _whole_names() -> frozenset[str]:
    return frozenset(row["words"] for row in tables.read("whole_names", _PHRASES))


def with_wider(ids: Iterable[str]) -> tuple[Family, ...]:
    """The families of these ids and all that hold them, the nearest first."""
    reached: dict[str, Family] = {}
    waiting = list(ids)
    while waiting:
        family = known()[waiting.pop(0)]
        if family.id not in reached:
            reached[family.id] = family
            waiting += family.within
    return tuple(reached.values())


def by_prefix(column: str, code: str) -> tuple[str, ...]:
    """Ids of the narrowest families that list a prefix of a code, written without its point, and no exception."""
    ranges = _ranges(column)
    hits = [(family, but) for family, but, low, high in ranges if low <= code[: len(low)] and code[: len(high)] <= high]
    excepted = {family for family, but in hits if but}
    ids = [family for family, _ in hits if family not in excepted]
    wider = {holder.id for each in ids for holder in with_wider(known()[each].within)}
    return tuple(dict.fromkeys(each for each in ids if each not in wider))


@cache
def _ranges(column: str) -> tuple[tuple[str, bool, str, str], ...]:
    """Family, whether it is an exception, and the first and last prefix."""
    cells = ((row["id"], cell) for row in _rows() for cell in row.several(column))
    return tuple((family, is_exception(cell), *ends(cell)) for family, cell in cells)


def first_codes() -> dict[str, tuple[str, ...]]:
    """The first code of each range of ICD-10-CM that a family lists, without its point."""
    return {
        row["id"]: tuple(ends(cell)[0] for cell in row.several("icd10cm") if not is_exception(cell)) for row in _rows()
    }


def is_exception(cell: str) -> bool:
    """Whether a range is one that is left out."""
    return cell.startswith(_EXCEPT)


def ends(cell: str) -> tuple[str, str]:
    """The first and the last prefix of a range, without their points."""
    first, _, last = cell.removeprefix(_EXCEPT).replace(".", "").partition("-")
    return first, last or first


@cache
def _lexicon() -> Lexicon:
    no_family = (Name(row["words"], _NO_FAMILY) for row in tables.read("not_problems", _PHRASES))
    return Lexicon((*(name for family in known().values() for name in family.names), *no_family))


@cache
def _rows() -> tuple[tables.Row, ...]:
    rows = tables.read("problem_families", COLUMNS)
    tables.index(rows, "id")
    return rows
