"""What the reading tools bring from a record: current facts, newest first. Pure: what a call would bring is known.

Guarantee: the same record gives the same facts, whether a tool answers or the episode's inputs foretell it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from grounding import Sources, facts
from longitude.reasoning.v1.episode_pb2 import Reach
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_DOCUMENT,
    FACT_KIND_IMAGING_FINDING,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_KIND_RESULT,
    ClinicalFact,
)

from consult.record import Record
from consult.rules.changes import last_encounter

LINES = 6
COMPARE, SEARCH_MEMORY = "compare_with_last_visit", "search_memory"
_COMPARED = (FACT_KIND_ALLERGY, FACT_KIND_MEDICATION, FACT_KIND_PROBLEM, FACT_KIND_RESULT)


@dataclass(frozen=True, slots=True)
class Readable:
    """The current facts of one record by id, and the moment that changes are counted from (None at a first visit)."""

    facts: Mapping[str, RecordedFact]
    since: datetime | None

    @classmethod
    def of(cls, record: Record, sources: Sources) -> "Readable":
        current = {fact.fact_id for fact in sources.current}
        readable = {each.fact.fact_id: each for each in record.timeline.facts if each.fact.fact_id in current}
        return cls(readable, compared_with(record, sources))


def compared_with(record: Record, sources: Sources) -> datetime | None:
    """The last signed assessment, else the end of the last encounter; None at a first visit."""
    if record.signed is not None:
        return record.signed.signed_at
    last = last_encounter(sources)
    return last.over if last is not None else None


def brought(tool: str, fact_id: str, readable: Readable) -> list[RecordedFact]:
    """The facts that a call brings; KeyError for a fact that is not there or a tool that reads something else."""
    return _newest(_READ[tool](readable, fact_id))[:LINES]


def read_from(documents: frozenset[str], readable: Readable) -> list[RecordedFact]:
    """Facts that were read from these documents: what a statement may rest on after a search."""
    return _newest(each for each in readable.facts.values() if each.fact.source.document_id in documents)[:LINES]


def before(fact: ClinicalFact, readable: Readable) -> list[RecordedFact]:
    """The last result of the same code that was known at the last visit: what a change is told against."""
    if fact.kind != FACT_KIND_RESULT:
        return []
    return _newest(each for each in _same_code(readable, fact.fact_id) if not _began(each.fact, readable))[:1]


def reach(shown: Iterable[str], readable: Readable) -> list[Reach]:
    """What each call about a shown fact would bring; of a search, what it could bring at most."""
    found = [
        Reach(tool=tool, fact_id=fact_id, fact_ids=_ids(brought(tool, fact_id, readable)))
        for fact_id in dict.fromkeys(shown)
        for tool, kind in _ABOUT.items()
        if fact_id in readable.facts and readable.facts[fact_id].fact.kind == kind
    ]
    found.append(Reach(tool=COMPARE, fact_ids=_ids(brought(COMPARE, "", readable))))
    letters = (each for each in readable.facts.values() if each.fact.source.document_id)
    found.append(Reach(tool=SEARCH_MEMORY, fact_ids=_ids(letters)))
    return [each for each in found if each.fact_ids]


def _same_code(readable: Readable, fact_id: str) -> list[RecordedFact]:
    code = readable.facts[fact_id].fact.code
    return [each for each in readable.facts.values() if each.fact.code == code]


def _of_document(readable: Readable, fact_id: str) -> list[RecordedFact]:
    document = readable.facts[fact_id].fact.source.document_id
    return [
        each
        for each in readable.facts.values()
        if document and each.fact.source.document_id == document and each.fact.kind != FACT_KIND_DOCUMENT
    ]


def _films(readable: Readable, _: str) -> list[RecordedFact]:
    return [each for each in readable.facts.values() if each.fact.kind == FACT_KIND_IMAGING_FINDING]


def _changed(readable: Readable, _: str) -> list[RecordedFact]:
    """What began or ended since the last visit; of results the newest of each code."""
    moved = [each for each in readable.facts.values() if each.fact.kind in _COMPARED and _moved(each.fact, readable)]
    newest = {each.fact.code.SerializeToString(): each.fact.fact_id for each in reversed(_newest(moved))}
    return [each for each in moved if each.fact.kind != FACT_KIND_RESULT or each.fact.fact_id in newest.values()]


_READ: Mapping[str, Callable[[Readable, str], list[RecordedFact]]] = {
    "read_timeline": _same_code,
    "read_document": _of_document,
    "read_image_findings": _films,
    COMPARE: _changed,
}
_ABOUT = {
    "read_timeline": FACT_KIND_RESULT,
    "read_document": FACT_KIND_DOCUMENT,
    "read_image_findings": FACT_KIND_IMAGING_FINDING,
}


def _began(fact: ClinicalFact, readable: Readable) -> bool:
    return readable.since is not None and facts.moment(fact.valid_from) > readable.since


def _moved(fact: ClinicalFact, readable: Readable) -> bool:
    ended = (
        facts.ends_on(fact) is not None and readable.since is not None and facts.moment(fact.valid_to) > readable.since
    )
    return _began(fact, readable) or ended


def _newest(facts_read: Iterable[RecordedFact]) -> list[RecordedFact]:
    return sorted(facts_read, key=lambda each: (each.fact.valid_from.seconds, each.fact.fact_id), reverse=True)


def _ids(facts_read: Iterable[RecordedFact]) -> list[str]:
    return [each.fact.fact_id for each in facts_read]
