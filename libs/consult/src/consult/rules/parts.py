"""Pieces of sentences that several rules share."""

from collections.abc import Iterable

from grounding import Sources, facts, phrases
from grounding.calculators import egfr
from grounding.kinds import evidence
from grounding.statements import ClassName, Computed, Dose, Method, Name, Part, Statement, Value, Words
from knowledge.kidney import KidneyFunction
from longitude.reasoning.v1.assessment_pb2 import StatementKind
from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION, ClinicalFact

from consult import kept


def quoted(sources: Sources, passage_ids: tuple[str, ...], terms: tuple[str, ...]) -> tuple[Part, ...]:
    """The first of these passages that memory returned, in its own words; nothing if it returned none."""
    for passage_id in passage_ids:
        if sources.has_passage(passage_id):
            return (Words(". "), *evidence.quotation(sources, passage_id, terms))
    return ()


def statement(kind: "StatementKind.ValueType", *parts: Part, also: tuple[str, ...] = ()) -> Statement:
    return Statement(kind, parts, also)


def drug_with_class(fact: ClinicalFact, classes: tuple[str, ...], *, capital: bool = False) -> tuple[Part, ...]:
    """`naproxen (NSAID)`, with the first of these classes that it belongs to."""
    own = facts.class_of(fact, *classes)
    behind = (Words(" ("), ClassName(fact.fact_id, own.id), Words(")")) if own else ()
    return (Name(fact.fact_id, capital=capital), *behind)


def drug_with_dose(fact: ClinicalFact) -> tuple[Part, ...]:
    """`Metformin 1000 mg oral twice daily`."""
    return (Name(fact.fact_id, capital=True), Words(" "), Dose(fact.fact_id))


def below(sources: Sources, row: str) -> float:
    """The value below which a row speaks; 0 where it does not speak here."""
    known = kept.row(sources, row)
    return float(known.conditions.below) if known else 0.0


def state(sources: Sources, fact: ClinicalFact) -> tuple[Part, ...]:
    """` was ordered on ... and not renewed since`, ` is active since ... until ...`."""
    told = phrases.medication_state(sources, fact, joint=" and ")
    is_order = isinstance(told[0], Words) and told[0].text.startswith("ordered")
    return (Words(" was " if is_order else " is "), *told)


def while_taking(
    sources: Sources, one: ClinicalFact, other: ClinicalFact, of_one: tuple[str, ...], of_other: tuple[str, ...]
) -> tuple[Part, ...]:
    """`Naproxen (NSAID) was ordered on ..., while lisinopril (ACE inhibitor) was ordered on ... `."""
    first = (*drug_with_class(one, of_one, capital=True), *state(sources, one))
    return (*first, Words(", while "), *drug_with_class(other, of_other), *state(sources, other))


def avoid_together(one: ClinicalFact, other: ClinicalFact) -> tuple[Part, ...]:
    """`Avoid naproxen together with lisinopril`."""
    return (Words("Avoid "), Name(one.fact_id), Words(" together with "), Name(other.fact_id))


def kidney_parts(function: KidneyFunction) -> tuple[Part, ...]:
    """`eGFR was 28 mL/min/1.73 m2 on 2026-10-05`, recorded or computed."""
    if function.recorded is None:
        computed = Computed(egfr.NAME, function.fact_ids, day=True)
        return (Words("eGFR by "), Method(egfr.CALCULATOR.method), Words(" was "), computed)
    told = function.recorded
    return (Words("eGFR was "), Value(told.fact_id, rounded=True), *phrases.on(told), *phrases.comment(told))


def newest_first(entries: Iterable[ClinicalFact]) -> list[ClinicalFact]:
    """By the time since which each is known to hold."""
    return sorted(entries, key=facts.in_time, reverse=True)


def in_use(sources: Sources) -> tuple[ClinicalFact, ...]:
    """Medications active or ordered on the day of the question."""
    return tuple(fact for fact in sources.active(FACT_KIND_MEDICATION) if not facts.is_absent(fact))
