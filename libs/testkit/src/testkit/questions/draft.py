"""What a kind of question asks of a chart, before it has words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from terminology.tables import Row

from testkit.questions.question import Falsehood, Gold
from testkit.questions.tables import by_id, rows, several

# As much as an answer can hold in front, one fact a statement.
MOST = 6


@dataclass(frozen=True)
class Draft:
    """`asked`: which wordings fit; `slots`: what may stand in their braces; `questions`: whole ones besides."""

    kind: str
    asked: str
    slots: Mapping[str, Sequence[str]]
    gold: tuple[Gold, ...]
    topic: str
    codes: frozenset[str] = frozenset()
    must_not: tuple[Falsehood, ...] = ()
    questions: tuple[str, ...] = field(default=())


def gold_of(items: Iterable[Gold | None]) -> tuple[Gold, ...]:
    """Each once, as many as fit."""
    return tuple(dict.fromkeys(each for each in items if each))[:MOST]


def words(row: Row) -> list[str]:
    return several(row["words"])


def spoken(row: Row, *more: str) -> str:
    """Its name as a pattern, or as the question calls it: what is not recorded may be told by either."""
    return "|".join([row["name"], *(re.escape(each) for each in [*words(row), *more])])


def topic_of(*areas: str, gold: Iterable[Gold] = (), more: Iterable[str] = ()) -> str:
    """What belongs to areas, and what the gold names."""
    known = (by_id("areas")[area]["topic"] for area in areas if area in by_id("areas"))
    return "|".join(dict.fromkeys(filter(None, [*known, *(each.name for each in gold), *more])))


def codes_in(*areas: str) -> frozenset[str]:
    """The codes of the results of areas, which a statement may cite without naming them."""
    results = [row for row in rows("results") if row["area"] in areas]
    return frozenset(code for row in results for code in several(row["codes"]))
