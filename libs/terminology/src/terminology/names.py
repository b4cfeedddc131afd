"""What readers call observables: short names, synonyms, abbreviations, laymen's words and panels.

Guarantee: a name leads to everything that it may mean; who asks chooses, nothing is chosen here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology.observables import Observable, by_id, equivalents, observables, of, plain
from terminology.specimens import specimen
from terminology.tables import read

# Ids of panels that code names.
BLOOD_PRESSURE, VITAL_SIGNS = "blood-pressure", "vital-signs"
_PANELS = ("panel", "names", "abbreviations", "loinc", "members", "source")
# An abbreviation of one or two letters means nothing in another case: `Na` is sodium, `na` is not applicable.
_SHORT = 2
_SPECIMEN = re.compile(r"\] (?:in|of) (.+?)(?: by .*)?$")


@dataclass(frozen=True, slots=True)
class Panel:
    """Observables that are ordered or asked for under one name; `loinc`: the codes of the panel itself."""

    id: str
    names: tuple[str, ...]
    abbreviations: tuple[str, ...]
    loinc: frozenset[str]
    members: tuple[Observable, ...]


def named(text: str) -> tuple[Observable, ...]:
    """All that a reader may mean by a name, an abbreviation or a layman's word; of a panel, its members."""
    as_written = " ".join(text.split())
    return tuple(dict.fromkeys((*written().get(as_written, ()), *spoken().get(plain(text), ()))))


def panel(name: str) -> Panel | None:
    """The panel of this name, abbreviation or LOINC code."""
    return _panels_by_name().get(name) or _panels_by_name().get(plain(name))


def short_name(concept: CodedConcept) -> str:
    """What a reader calls it: the short name of a known concept, else the display without laboratory brackets."""
    known = of(concept)
    if known is not None:
        return known.short
    head = " ".join(concept.display.split(" [")[0].split())
    other = other_specimen(concept)
    return (f"{head} in {other}" if other else head) or concept.code


def other_specimen(concept: CodedConcept) -> str:
    """What a result is measured in, by the concept or its long name, lower case; empty for blood, serum and plasma."""
    known = of(concept)
    match = _SPECIMEN.search(concept.display)
    name = known.specimen if known is not None else match[1].lower() if match else ""
    kind = specimen(name)
    return "" if kind is not None and kind.is_blood else " ".join(name.split())


@cache
def panels() -> tuple[Panel, ...]:
    return tuple(
        Panel(
            row["panel"],
            row.several("names"),
            row.several("abbreviations"),
            frozenset(row.several("loinc")),
            tuple(by_id()[member] for member in row.several("members")),
        )
        for row in read("panels", _PANELS)
    )


@cache
def written() -> Mapping[str, tuple[Observable, ...]]:
    """Abbreviations as physicians write them."""
    own = ((word, (known,)) for known in observables().values() for word in known.abbreviations)
    return _gathered([*own, *((word, group.members) for group in panels() for word in group.abbreviations)])


@cache
def spoken() -> Mapping[str, tuple[Observable, ...]]:
    """Names in any case, long abbreviations among them."""
    own = [
        (plain(word), (known,))
        for known in observables().values()
        for word in (known.name, known.short, *known.names, *_long(known.abbreviations))
    ]
    grouped = [
        (plain(word), group.members) for group in panels() for word in (*group.names, *_long(group.abbreviations))
    ]
    return _gathered([*own, *grouped, *((plain(code.name), (code.observable,)) for code in equivalents())])


def _long(abbreviations: Iterable[str]) -> Iterable[str]:
    return (word for word in abbreviations if len(word) > _SHORT)


def _gathered(pairs: Iterable[tuple[str, tuple[Observable, ...]]]) -> dict[str, tuple[Observable, ...]]:
    gathered: dict[str, list[Observable]] = {}
    for word, meant in pairs:
        gathered.setdefault(word, []).extend(meant)
    return {word: tuple(dict.fromkeys(meant)) for word, meant in gathered.items()}


@cache
def _panels_by_name() -> Mapping[str, Panel]:
    return {
        word: group
        for group in panels()
        for word in (group.id, *map(plain, group.names), *group.abbreviations, *group.loinc)
    }
