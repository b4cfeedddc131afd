"""A reading tool: what it is asked about, what can be said by its answer, and who has it. None changes anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from longitude.record.v1.fact_pb2 import FactKind

from harness.sources import Sources


@dataclass(frozen=True)
class Purpose:
    """Why a tool is called: about facts of these kinds (none: the whole record); the words its answer can lead to."""

    kinds: frozenset["FactKind.ValueType"]
    changes: frozenset[str]


def purpose(kinds: tuple["FactKind.ValueType", ...], *changes: str) -> Purpose:
    return Purpose(frozenset(kinds), frozenset(changes))


# Whether a call about a fact (empty: the whole record) for a purpose can bring what has no handle yet.
Brings = Callable[[str, str, str, Sources], bool]


def within_reach(tool: str, fact_id: str, _: str, sources: Sources) -> bool:
    """As far as the record shows."""
    return bool(sources.within_reach(tool, fact_id))


@dataclass(frozen=True)
class Tool:
    """One tool; its file in `tools/` is all that the runtime needs of it. Whoever serves it says how it is answered."""

    name: str
    purposes: Mapping[str, Purpose]
    roles: frozenset[str]
    brings: Brings = within_reach
