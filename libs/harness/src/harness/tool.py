"""A reading tool: what it is asked about, what can be said by its answer, and who has it. None changes anything."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import FactKind

from harness.readable import Readable
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


# The facts that a call about a fact (empty: the whole record) brings; KeyError for a fact that is not there.
Read = Callable[[Readable, str], Iterable[RecordedFact]]
# A search that memory has: passages of the evidence library, or documents of the patient.
Search = Literal["evidence", "documents"]


@dataclass(frozen=True)
class Tool:
    """One tool; its file in `tools/` is all that it needs where the record, a calculator or a search of memory answers.

    `read`: answered from the record. `search`: answered by a search. `at_most`: the facts that a search can bring.
    """

    name: str
    purposes: Mapping[str, Purpose]
    roles: frozenset[str]
    brings: Brings = within_reach
    read: Read | None = None
    search: Search | None = None
    at_most: Callable[[Readable], Iterable[RecordedFact]] | None = None

    @property
    def kinds(self) -> frozenset["FactKind.ValueType"]:
        """The kinds of fact that it is asked about; none: the whole record."""
        return frozenset().union(*(asked.kinds for asked in self.purposes.values()))
