"""A follow-up starts from the last signed assessment: what the record learned since."""

from datetime import datetime

from grounding import Sources, Statement, facts, phrases
from grounding.statements import Name, Part, Value, Words
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_KIND_RESULT,
    ClinicalFact,
)

from consult.rules import parts

_TOLD = (FACT_KIND_ALLERGY, FACT_KIND_MEDICATION, FACT_KIND_PROBLEM, FACT_KIND_RESULT)
_MOST = 8


def since_last_signed(sources: Sources, signed_at: datetime) -> list[Statement]:
    """Entries that the record learned after the signature, newest first, at most eight.

    Source: the record's own recording times.
    """
    new = [each.fact for each in sources.recorded if _is_new(each, signed_at, sources)]
    entries: list[Part] = []
    for fact in parts.newest_first(new)[:_MOST]:
        entries += [Words(", "), *_entry(fact)] if entries else _entry(fact)
    if not entries:
        return []
    return [parts.statement(wire.STATEMENT_KIND_CHANGE, Words("New since the last signed assessment: "), *entries)]


def _is_new(recorded: RecordedFact, signed_at: datetime, sources: Sources) -> bool:
    return (
        recorded.fact.kind in _TOLD
        and sources.first_recorded(recorded.fact) > signed_at
        and sources.is_current(recorded.fact.fact_id)
    )


def _entry(fact: ClinicalFact) -> tuple[Part, ...]:
    negation: tuple[Part, ...] = (Words("no "),) if facts.is_absent(fact) and fact.kind != FACT_KIND_ALLERGY else ()
    value: tuple[Part, ...] = (Words(" "), Value(fact.fact_id)) if fact.HasField("quantity") else ()
    return (*negation, Name(fact.fact_id), *value, *phrases.in_brackets(fact), *phrases.comment(fact))
