"""Pieces of sentences of rows: every value is a part that names its fact, and the row's words are quoted."""

from collections.abc import Iterable

from grounding import Sources, Statement, facts, phrases
from grounding.calculators import egfr
from grounding.kinds import latest, problem
from grounding.statements import (
    Age,
    ClassName,
    Computed,
    Day,
    Label,
    Method,
    Name,
    Origin,
    Part,
    Quote,
    Value,
    Words,
    join,
)
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.assessment_pb2 import StatementKind
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from knowledge.kidney import KidneyFunction
from knowledge.row import Row
from knowledge.terms import Drugs

Parts = tuple[Part, ...]


def statement(
    row: Row, *sentences: Parts, kind: "StatementKind.ValueType" = wire.STATEMENT_KIND_ALERT, also: tuple[str, ...] = ()
) -> Statement:
    """Sentences about the patient, then the words of the row with its source."""
    return Statement(kind, (*join(". ", (*sentences, quotation(row))),), also)


def quotation(row: Row) -> Parts:
    """`“...” (rule interactions/warfarin-nsaid version 1, after ..., section 7, 2017)`."""
    return (Quote(row.passage_id, 0, len(row.words)), Words(" ("), Origin(row.passage_id), Words(")"))


def drug(fact: ClinicalFact, named: Drugs, *, capital: bool = False) -> Parts:
    """`naproxen (NSAID)`, with the first of the row's classes that it belongs to."""
    own = facts.class_of(fact, *named.classes)
    return (Name(fact.fact_id, capital=capital), *in_brackets(fact, own.id if own else ""))


def in_brackets(fact: ClinicalFact, drug_class: str) -> Parts:
    """` (NSAID)`; nothing without a class."""
    return (Words(" ("), ClassName(fact.fact_id, drug_class), Words(")")) if drug_class else ()


def state(sources: Sources, fact: ClinicalFact) -> Parts:
    """` was ordered on ... and not renewed since`, ` is active since ... until ...`."""
    told = phrases.medication_state(sources, fact, joint=" and ")
    is_order = isinstance(told[0], Words) and told[0].text.startswith("ordered")
    return (Words(" was " if is_order else " is "), *told)


def taken(sources: Sources, fact: ClinicalFact, named: Drugs, *, capital: bool = True, dose: bool = False) -> Parts:
    """`Naproxen (NSAID) was ordered on ... and not renewed since`; `dose`: `Naproxen 500 mg twice daily was ...`."""
    own = phrases.dose(fact) if dose else ()
    return (*drug(fact, named, capital=capital), *own, *state(sources, fact))


def while_taking(sources: Sources, one: Parts, other: ClinicalFact, named: Drugs) -> Parts:
    """The sentence `one`, and behind it the drug beside it."""
    return (*one, Words(", while "), *taken(sources, other, named, capital=False))


def has(sources: Sources, fact: ClinicalFact) -> Parts:
    """`Problem: heart failure, active since 2026-01-02`."""
    return problem.statement(sources, fact.fact_id).parts


def age(born: ClinicalFact) -> Parts:
    return (Words("The patient is "), Age(born.fact_id), Words(" years old"))


def measured(fact: ClinicalFact, *, capital: bool = True) -> Parts:
    """`Potassium was 5.6 mmol/L on 2026-03-04`, with the comment of the laboratory."""
    return latest.measured(fact, capital=capital)


def kidneys(function: KidneyFunction) -> Parts:
    """`eGFR was 28 mL/min/1.73 m2 on 2026-10-05`, recorded or computed."""
    if function.recorded is None:
        computed = Computed(egfr.NAME, function.fact_ids, day=True)
        return (Words("eGFR by "), Method(egfr.CALCULATOR.method), Words(" was "), computed)
    told = function.recorded
    return (Words("eGFR was "), Value(told.fact_id, rounded=True), *phrases.on(told), *phrases.comment(told))


def last(fact: ClinicalFact | None, label: str) -> Parts:
    """When a thing was last there: `The last eGFR was 50 ... on ...`, `Mammography was last done on ...`, `No ... was
    found in the record`.
    """
    if fact is None:
        return (Words("No "), Label(label), Words(" was found in the record"))
    on = (Words(" on "), Day(fact.fact_id))
    if fact.kind == pb.FACT_KIND_RESULT:
        return (Words("The last "), Name(fact.fact_id), Words(" was "), Value(fact.fact_id, rounded=True), *on)
    done = " was last given" if fact.kind == pb.FACT_KIND_IMMUNIZATION else " was last done"
    return (Name(fact.fact_id, capital=True), Words(done), *on)


def due_kind(fact: ClinicalFact | None) -> "StatementKind.ValueType":
    """What sort of statement it is that a thing is due."""
    if fact is None:
        return wire.STATEMENT_KIND_ABSENCE
    return wire.STATEMENT_KIND_LATEST if fact.kind == pb.FACT_KIND_RESULT else wire.STATEMENT_KIND_EVENT


def searched(sources: Sources, fact: ClinicalFact | None) -> tuple[str, ...]:
    """That a thing is nowhere rests on the whole record: on its newest entry."""
    return () if fact else tuple(each.fact_id for each in sources.current[-1:])


def ids(entries: Iterable[ClinicalFact]) -> frozenset[str]:
    return frozenset(each.fact_id for each in entries)


WHILE: Parts = (Words(", while "),)


def capitalised(parts: Parts) -> Parts:
    """With a capital where a name leads."""
    first, *others = parts
    return (Name(first.fact_id, capital=True), *others) if isinstance(first, Name) else parts
