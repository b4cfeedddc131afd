"""A blood pressure as two numbers of one moment: `128/76 mmHg`."""

from collections.abc import Sequence

from grounding import Sources, Statement, facts, keys
from grounding.statements import Day, Part, Value, Words, join
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.loinc import DIASTOLIC, SYSTOLIC
from terminology.names import BLOOD_PRESSURE, panel

_SYSTOLIC, _DIASTOLIC = keys.of_loinc(SYSTOLIC), keys.of_loinc(DIASTOLIC)


def is_systolic(fact: ClinicalFact) -> bool:
    return _SYSTOLIC in facts.keys(fact)


def is_diastolic(fact: ClinicalFact) -> bool:
    return _DIASTOLIC in facts.keys(fact)


def pair(systolic: ClinicalFact, sources: Sources) -> tuple[ClinicalFact, ...]:
    """It and the diastolic one of the same moment, where there is one."""
    if not is_systolic(systolic):
        return (systolic,)
    return (systolic, *[each for each in sources.series(DIASTOLIC) if each.valid_from == systolic.valid_from][-1:])


def course(points: Sequence[ClinicalFact], sources: Sources) -> Statement | None:
    """`Blood pressure: 125/84 mmHg (1940-06-02), 146/94 mmHg (2008-09-07).`; None where one has no second number."""
    both = [pair(each, sources) for each in points]
    if not both or any(len(each) == 1 for each in both):
        return None
    told = join(", ", ((*values(*each), Words(" ("), Day(each[0].fact_id), Words(")")) for each in both))
    kind = wire.STATEMENT_KIND_TREND if len(both) > 1 else wire.STATEMENT_KIND_LATEST
    return Statement(kind, (Words(f"{name().capitalize()}: "), *told))


def values(systolic: ClinicalFact, diastolic: ClinicalFact) -> tuple[Part, ...]:
    return (Value(systolic.fact_id, bare=True, rounded=True), Words("/"), Value(diastolic.fact_id, rounded=True))


def name() -> str:
    """What both numbers together are called."""
    both = panel(BLOOD_PRESSURE)
    assert both is not None
    return both.names[0]
