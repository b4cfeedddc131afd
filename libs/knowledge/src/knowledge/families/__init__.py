"""The families of rows, each a small evaluator over terminology and finding."""

from collections.abc import Mapping
from functools import cache

from grounding.folder import declared

from knowledge.family import Family


@cache
def known() -> Mapping[str, Family]:
    """Every family by its name, which is that of its table too."""
    return {each.name: each for each in declared(__name__, "FAMILY", Family)}
