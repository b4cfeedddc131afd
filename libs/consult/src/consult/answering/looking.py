"""What is looked at before a drug is given or goes on: results, problems, and drugs that are taken beside it.

Source: the rows of `terminology.areas.suitability`, and the rows of medical knowledge on drugs, each with its own. Of
the latter only what they name is read, and none of their bounds: they say what to look at, and no more.
"""

from collections.abc import Iterable, Sequence
from functools import cache

from knowledge import shipped
from terminology import areas
from terminology.areas import LookedAt

# Families of rows on a drug beside problems, drugs and results.
_FAMILIES = ("contraindications", "interactions", "organs", "monitoring")


def rows_of(names: Sequence[str]) -> tuple[LookedAt, ...]:
    """Of a drug by its names (ids of classes, names of ingredients): the table's in this order, then what is known."""
    table = areas.suitability()
    return (*(table[each] for each in names if each in table), *_known(frozenset(names)))


@cache
def _known(names: frozenset[str]) -> tuple[LookedAt, ...]:
    """All rows of knowledge on a drug as one."""
    own = [row.conditions for family in _FAMILIES for row in shipped().rows[family]]
    about = [each for each in own if each.drugs.matches(names)]
    meeting = [each.drugs.names for each in own if hasattr(each, "beside") and each.beside.matches(names)]
    beside = (*(each.beside.names for each in about if hasattr(each, "beside")), *meeting)
    problems = (each.problems.ids for each in about if getattr(each, "problems", None))
    results = (each.results.codes[:1] for each in about if getattr(each, "results", None))
    one = LookedAt(min(names, default=""), _once(results), _once(map(sorted, problems)), _once(map(sorted, beside)))
    return (one,) if one.results or one.problems or one.beside else ()


def _once(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for group in groups for each in group))
