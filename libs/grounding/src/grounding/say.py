"""The common statements: latest, trend, absence, medication, allergy, problem, calculation, change, film, evidence.

Guarantee: pure functions from sources to `Statement`; which facts they rest on is visible in their parts.
Rules and the model's actions use the same ones, so a reader meets one wording for one kind of thing.
"""

import re
from collections.abc import Iterator, Sequence

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import PROVENANCE_COMPUTED_FROM_IMAGE, ClinicalFact

from grounding import facts
from grounding.calculator import Calculator
from grounding.calculators import CALCULATORS
from grounding.checks.direction import STEADY
from grounding.concepts import NO_KNOWN_ALLERGY, SNOMED
from grounding.sources import Sources
from grounding.spans import sentences
from grounding.statements import (
    Computed,
    Day,
    Dose,
    Label,
    Method,
    Name,
    Origin,
    Part,
    Probability,
    Quote,
    Reaction,
    Statement,
    Value,
    Words,
    join,
)

SAME = "stayed about the same"
_BETWEEN = 6


def latest(sources: Sources, fact_id: str) -> Statement:
    """`Potassium was 5.6 mmol/L on 2025-03-04.`"""
    parts: list[Part] = [Name(fact_id, capital=True), Words(" was "), Value(fact_id), *_on(sources, fact_id)]
    return Statement(wire.STATEMENT_KIND_LATEST, tuple(parts))


def trend(sources: Sources, fact_ids: Sequence[str]) -> Statement:
    """A series of one concept: direction, first and last with their days, and up to six values between."""
    return Statement(wire.STATEMENT_KIND_TREND, trend_parts(sources, fact_ids))


def trend_parts(sources: Sources, fact_ids: Sequence[str]) -> tuple[Part, ...]:
    """ValueError with fewer than two numeric facts."""
    ordered = sorted((sources.fact(each) for each in fact_ids), key=_when)
    if len(ordered) < 2:
        raise ValueError("a trend needs two values")
    first, last = ordered[0].fact_id, ordered[-1].fact_id
    parts: list[Part] = [Name(first, capital=True), Words(f" {direction(ordered)} from "), Value(first), Words(" (")]
    parts += [Day(first), Words(") to "), Value(last), Words(" ("), Day(last), Words(")")]
    between = _thinned([fact.fact_id for fact in ordered[1:-1]])
    if between:
        values = join(", ", ((Value(each, bare=True), Words(" ("), Day(each), Words(")")) for each in between))
        parts += [Words("; between: "), *values]
    return tuple(parts)


def direction(ordered: Sequence[ClinicalFact]) -> str:
    """`rose`, `fell` or `stayed about the same`, from first to last."""
    first, last = (facts.number(fact.quantity) for fact in (ordered[0], ordered[-1]))
    if first is None or last is None:
        raise ValueError("a trend needs numbers")
    if abs(last - first) <= abs(first) * STEADY:
        return SAME
    return "rose" if last > first else "fell"


def absence(sources: Sources, display: str) -> Statement:
    """Says that nothing with this name was found, and up to when the record was searched."""
    names = Label(" ".join(display.split()))
    parts = (Words("No "), names, Words(" was found in the record; the whole timeline was searched"))
    newest = [fact.fact_id for fact in sources.current if facts.starts_on(fact)][-1:]
    tail: tuple[Part, ...] = (Words(" up to its newest entry ("), Day(newest[0]), Words(")")) if newest else ()
    return Statement(wire.STATEMENT_KIND_ABSENCE, (*parts, *tail))


def medication(sources: Sources, fact_id: str) -> Statement:
    """`Metformin 1000 mg oral twice daily: active since 2023-02-01.`"""
    fact = sources.fact(fact_id)
    parts = [Name(fact_id, capital=True), *_dose(fact)]
    if facts.has_ended(fact, sources.today):
        parts += [Words(": stopped"), *_end(fact)]
    elif facts.is_order(fact):
        parts += [Words(": ordered"), *_on(sources, fact_id)]
    else:
        parts += [Words(": active"), *_since(fact)]
    return Statement(wire.STATEMENT_KIND_MEDICATION, tuple(parts))


def allergy(sources: Sources, fact_id: str) -> Statement:
    """`Allergy: penicillin, reaction hives, recorded 2024-05-06.`"""
    fact = sources.fact(fact_id)
    reaction: tuple[Part, ...] = (Words(", reaction "), Reaction(fact_id)) if fact.note else ()
    start: tuple[Part, ...] = (Words(", recorded "), Day(fact_id)) if facts.starts_on(fact) else ()
    lead = Words("Allergy status: " if facts.is_absent(fact) else "Allergy: ")
    name = allergen_parts(fact)
    return Statement(wire.STATEMENT_KIND_ALLERGY, (lead, *name, *reaction, *start))


def allergen_parts(fact: ClinicalFact) -> tuple[Part, ...]:
    """The allergen; with `no` before it where the record states an absence and its name does not say so itself."""
    denies_all = f"{SNOMED}|{NO_KNOWN_ALLERGY}" in facts.keys(fact)
    negative = facts.is_absent(fact) and not denies_all and not facts.name_of(fact).lower().startswith("no ")
    return (Words("no "), Name(fact.fact_id)) if negative else (Name(fact.fact_id),)


def problem(sources: Sources, fact_id: str) -> Statement:
    """`Problem: chronic kidney disease, active since 2024-05-06.`"""
    fact = sources.fact(fact_id)
    state: list[Part] = [Words(", active"), *_since(fact)]
    if facts.has_ended(fact, sources.today):
        state = [Words(", resolved"), *_end(fact)]
    family = facts.is_family_history(fact) and not facts.is_family_history_text(facts.name_of(fact))
    lead = Words("Family history: " if family else "Problem: ")
    negation = (Words("no "),) if facts.is_absent(fact) else ()
    parts = (lead, *negation, Name(fact_id), *(() if negation else state))
    return Statement(wire.STATEMENT_KIND_PROBLEM, parts)


# What a calculator's words leave open: its method, or the name or day of a fact that it names.
_GAP = re.compile(r"\{(method|name|day)(?: (\d))?\}")


def calculation(name: str, fact_ids: Sequence[str]) -> Statement:
    """The result of a named calculation, behind its calculator's words."""
    calculator = CALCULATORS[name]
    computed = Computed(name, tuple(fact_ids), day=calculator.says_day)
    return Statement(wire.STATEMENT_KIND_CALCULATION, (*_lead(calculator, fact_ids), computed))


def _lead(calculator: Calculator, fact_ids: Sequence[str]) -> Iterator[Part]:
    end = 0
    for gap in _GAP.finditer(calculator.words):
        if gap.start() > end:
            yield Words(calculator.words[end : gap.start()])
        end = gap.end()
        match gap[1]:
            case "name":
                yield Name(fact_ids[int(gap[2])])
            case "day":
                yield Day(fact_ids[int(gap[2])])
            case _:
                yield Method(calculator.method)
    if end < len(calculator.words):
        yield Words(calculator.words[end:])


def change(sources: Sources, fact_ids: Sequence[str]) -> Statement:
    """What moved: the last two values of one concept, one that is new, or one that was recorded again."""
    ordered = sorted((sources.fact(each) for each in fact_ids), key=_when)
    newest = ordered[-1]
    if len(ordered) > 1 and all(fact.HasField("quantity") for fact in ordered[-2:]):
        return Statement(wire.STATEMENT_KIND_CHANGE, trend_parts(sources, [fact.fact_id for fact in ordered[-2:]]))
    value: tuple[Part, ...] = (Words(" "), Value(newest.fact_id)) if newest.HasField("quantity") else ()
    lead = Words("Recorded again: " if len(ordered) > 1 else "New: ")
    parts = (lead, Name(newest.fact_id), *value, *_on(sources, newest.fact_id))
    return Statement(wire.STATEMENT_KIND_CHANGE, parts)


def imaging(sources: Sources, fact_id: str) -> Statement:
    """A finding on a film, with its probability and the words that a network computed it."""
    fact = sources.fact(fact_id)
    absent = facts.is_absent(fact)
    parts: list[Part] = [Words("Film: no " if absent else "Film: "), Name(fact_id), *_on(sources, fact_id)]
    if fact.provenance == PROVENANCE_COMPUTED_FROM_IMAGE:
        sure = Words(", confidence " if absent else ", probability ")
        parts += [sure, Probability(fact_id), Words(" (computed from the film by a network)")]
    return Statement(wire.STATEMENT_KIND_IMAGING, tuple(parts))


def evidence(sources: Sources, passage_id: str, terms: Sequence[str] = ()) -> Statement:
    """A passage in its own words, with its source and grade."""
    return Statement(wire.STATEMENT_KIND_EVIDENCE, (Words("Evidence: "), *quote_parts(sources, passage_id, terms)))


def quote_parts(sources: Sources, passage_id: str, terms: Sequence[str] = ()) -> tuple[Part, ...]:
    """The sentence of the passage that names most of the terms (the first, without terms), and where it is from."""
    text = sources.passage(passage_id).text
    spans = sentences(text, clauses=False)
    wanted = [term.lower() for term in terms]
    best = max(spans, key=lambda span: sum(term in text[span.start : span.end].lower() for term in wanted))
    return (Quote(passage_id, best.start, best.end), Words(" ("), Origin(passage_id), Words(")"))


def _on(sources: Sources, fact_id: str) -> tuple[Part, ...]:
    return (Words(" on "), Day(fact_id)) if facts.starts_on(sources.fact(fact_id)) else ()


def _since(fact: ClinicalFact) -> tuple[Part, ...]:
    return (Words(" since "), Day(fact.fact_id)) if facts.starts_on(fact) else ()


def _end(fact: ClinicalFact) -> tuple[Part, ...]:
    return (Words(" on "), Day(fact.fact_id, end=True)) if facts.ends_on(fact) else ()


def _dose(fact: ClinicalFact) -> tuple[Part, ...]:
    stated = fact.dosage.dose.value or fact.dosage.route or fact.dosage.frequency
    return (Words(" "), Dose(fact.fact_id)) if stated else ()


def _when(fact: ClinicalFact) -> tuple[int, int, str]:
    return (fact.valid_from.seconds, fact.valid_from.nanos, fact.fact_id)


def _thinned(fact_ids: list[str]) -> list[str]:
    """At most six, evenly over the series."""
    if len(fact_ids) <= _BETWEEN:
        return fact_ids
    return [fact_ids[index * (len(fact_ids) - 1) // (_BETWEEN - 1)] for index in range(_BETWEEN)]
