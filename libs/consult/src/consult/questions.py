"""Questions back: at most three, to the physician or the patient, whose answer would change what is said.

Guarantee: each names the statements that it would change, and rests on a sentence that the record supports. A drug, an
allergy or a value is asked about once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from grounding import Sources, Statement, Verdict, Verifier, facts, render
from grounding.calculators import egfr
from grounding.formula import CalculationError
from grounding.kinds import allergy, latest
from grounding.statements import Day, Name, Part, Value, Words, join
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas
from terminology.loinc import CREATININE, EGFR

from consult.answering import reconciliation
from consult.answering.reconciliation import Reconciled, Standing
from consult.drafting import UNSAYABLE

MOST = 3
# Drugs that are asked about together.
_TOGETHER = 4
# Days after which a value says little of today.
_OLD = 365
# By how much two values of one moment must differ: a tenth; an eGFR from that of the creatinine, by half.
_FAR, _VERY_FAR = 0.1, 1.5
# An eGFR that changes what is given (KDIGO 2024: G3).
_LOW = 60
_WARN = (wire.STATEMENT_KIND_ALERT, wire.STATEMENT_KIND_PROPOSAL)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question before it is decided whether it is put. `about`: the facts whose statements it would change."""

    to: "wire.Addressee.ValueType"
    text: tuple[Part, ...]
    because: Statement
    would_change: tuple[Part, ...]
    about: tuple[str, ...]


def questions(
    checked: Sequence[wire.AssessedStatement], sources: Sources, verifier: Verifier
) -> list[wire.QuestionBack]:
    """Those about what warns first, in the order of what can harm most."""
    shown = [each for each in checked if each.released and (each.front or each.kind in _WARN)]
    rests = {fact_id: [each for each in shown if _cites(each, fact_id)] for fact_id in _cited(shown)}
    put: list[wire.QuestionBack] = []
    touched: set[str] = set()
    for asked in sorted(_asked(rests, sources), key=lambda each: not _warns(each, rests)):
        changed = [each for fact_id in asked.about for each in rests.get(fact_id, ())]
        if len(put) < MOST and changed and touched.isdisjoint(asked.about):
            question = _put(asked, changed, sources, verifier)
            put += [question] if question else []
            touched |= set(asked.about) if question else set()
    return put


def _asked(rests: dict[str, list[wire.AssessedStatement]], sources: Sources) -> Iterator[Asked]:
    cited = [sources.fact(fact_id) for fact_id in rests if sources.has_fact(fact_id)]
    yield from (_reaction(each, sources) for each in cited if _lacks_a_reaction(each, rests[each.fact_id]))
    yield from _kidney(rests, sources)
    yield from _two_values(cited, sources)
    drugs = [each for each in reconciliation.reconcile(sources) if each.newest.fact_id in rests]
    doubtful = [each for each in _by_harm(drugs) if _is_doubtful(each)]
    warned = [each for each in doubtful if any(one.kind in _WARN for one in rests[each.newest.fact_id])]
    yield from (_still_taken([each], sources) for each in warned)
    others = [each for each in doubtful if each not in warned][:_TOGETHER]
    yield from [_still_taken(others, sources)] if others else []
    yield from (_newer(each) for each in cited if _is_old_danger(each, rests[each.fact_id], sources))


def _put(
    asked: Asked, changed: Iterable[wire.AssessedStatement], sources: Sources, verifier: Verifier
) -> wire.QuestionBack | None:
    try:
        because = render(asked.because, sources)
        text, change = (render(_question(each), sources).text for each in (asked.text, asked.would_change))
    except UNSAYABLE:
        return None
    if verifier.verify(because.text, because.citations).verdict is not Verdict.SUPPORTED:
        return None
    return wire.QuestionBack(
        to=asked.to,
        text=text,
        because=because.text,
        would_change=change,
        statement_ids=dict.fromkeys(each.statement_id for each in changed),
        citations=because.citations,
    )


def _still_taken(drugs: Sequence[Reconciled], sources: Sources) -> Asked:
    """`Is metformin still taken?`; of several drugs that nothing warns of, one question."""
    names = join(", ", ((Name(each.newest.fact_id),) for each in drugs))
    change = (Words("What is not taken is no part of the medication, and what is said of it falls away."),)
    text = (Words("Is " if len(drugs) == 1 else "Which is still taken: "), *names)
    text = (*text, Words(" still taken, and in which dose?" if len(drugs) == 1 else "? And in which dose?"))
    orders = [reconciliation.say(each, sources)[-1] for each in drugs]
    because = Statement(wire.STATEMENT_KIND_MEDICATION, join("; ", (each.parts for each in orders)))
    entries = tuple(entry.fact_id for each in drugs for entry in each.entries)
    return Asked(wire.ADDRESSEE_PATIENT, text, because, change, entries)


def _reaction(entry: ClinicalFact, sources: Sources) -> Asked:
    name = Name(entry.fact_id)
    text = (Words("What happened with "), name, Words(", how soon and how severe?"))
    change = (
        Words("A mere intolerance would lift the warning about it; an immediate or severe reaction rules it out."),
    )
    return Asked(wire.ADDRESSEE_PATIENT, text, allergy.statement(sources, entry.fact_id), change, (entry.fact_id,))


def _newer(value: ClinicalFact) -> Asked:
    name = Name(value.fact_id)
    text = (Words("Is there a newer "), name, Words(" than that of "), Day(value.fact_id), Words("?"))
    change = (Words("The warning that rests on it holds only as long as this "), name, Words(" does."))
    because = Statement(wire.STATEMENT_KIND_LATEST, latest.measured(value, rounded=True))
    return Asked(wire.ADDRESSEE_PHYSICIAN, text, because, change, (value.fact_id,))


def _two_values(cited: Sequence[ClinicalFact], sources: Sources) -> Iterator[Asked]:
    """Numbers of one thing at one moment that are far from each other."""
    for one in cited:
        for other in _same_moment(one, sources):
            if _ratio(one, other) > 1 + _FAR:
                both = (Name(one.fact_id, capital=True), Words(" was "), Value(one.fact_id, rounded=True))
                told = (*both, Words(" and "), Value(other.fact_id, rounded=True), Words(" on "), Day(one.fact_id))
                yield _which(one, other, Statement(wire.STATEMENT_KIND_LATEST, told))


def _kidney(rests: dict[str, list[wire.AssessedStatement]], sources: Sources) -> Iterator[Asked]:
    """A reported eGFR that is far from what the creatinine of the same moment gives by CKD-EPI 2021."""
    person = [each for each in (sources.birth_date(), sources.sex()) if each]
    for reported in sources.series(EGFR)[-1:]:
        same = [each for each in sources.series(CREATININE) if each.valid_from == reported.valid_from][-1:]
        if not same or not {reported.fact_id, same[0].fact_id} & rests.keys():
            continue
        try:
            computed = float(egfr.compute([same[0], *person]).value)
        except CalculationError:
            return
        value = facts.number(reported.quantity)
        if value and _disagree(float(value), computed):
            told = join(", ", (_measured(each, first=each is reported) for each in (reported, same[0])))
            yield _which(reported, same[0], Statement(wire.STATEMENT_KIND_LATEST, told))


def _disagree(reported: float, computed: float) -> bool:
    """Far from each other, and one of them low enough to change what is done."""
    low, high = sorted((reported, computed))
    return 0 < low < _LOW and high / low > _VERY_FAR


def _which(one: ClinicalFact, other: ClinicalFact, because: Statement) -> Asked:
    sides = (Name(one.fact_id), Words(" "), Value(one.fact_id, rounded=True), Words(" or "))
    behind = (Name(other.fact_id), Words(" "), Value(other.fact_id, rounded=True))
    text = (Words("Which is right: "), *sides, *behind, Words("?"))
    change = (Words("What is said of "), Name(one.fact_id), Words(", and of the drugs that depend on it."))
    return Asked(wire.ADDRESSEE_PHYSICIAN, text, because, change, (one.fact_id, other.fact_id))


def _measured(fact: ClinicalFact, *, first: bool) -> tuple[Part, ...]:
    named = (Name(fact.fact_id, capital=first), Words(" was " if first else " "), Value(fact.fact_id, rounded=True))
    return (*named, Words(" on "), Day(fact.fact_id))


def _question(parts: tuple[Part, ...]) -> Statement:
    return Statement(wire.STATEMENT_KIND_QUESTION, parts)


def _cited(shown: Iterable[wire.AssessedStatement]) -> dict[str, None]:
    return {each.fact_id: None for statement in shown for each in statement.citations if each.fact_id}


def _cites(statement: wire.AssessedStatement, fact_id: str) -> bool:
    return any(each.fact_id == fact_id for each in statement.citations)


def _warns(asked: Asked, rests: dict[str, list[wire.AssessedStatement]]) -> bool:
    return any(each.kind in _WARN for fact_id in asked.about for each in rests.get(fact_id, ()))


def _lacks_a_reaction(fact: ClinicalFact, rest: Iterable[wire.AssessedStatement]) -> bool:
    """An allergy without a reaction that a drug meets: one that is ordered, or that the question is about."""
    is_open = fact.kind == pb.FACT_KIND_ALLERGY and not (facts.is_absent(fact) or fact.note.strip())
    to_a_drug = any(each.ingredient or each.drug_class for each in facts.about(fact).allergens)
    return is_open and to_a_drug and any(each.kind in _WARN or not each.section for each in rest)


def _is_doubtful(drug: Reconciled) -> bool:
    doubtful = drug.standing in (Standing.NOT_RENEWED, Standing.DOUBTFUL)
    return doubtful and not reconciliation.is_course(drug)


def _is_old_danger(fact: ClinicalFact, rest: Iterable[wire.AssessedStatement], sources: Sources) -> bool:
    """The newest value of its kind, on which a warning rests, and older than a year."""
    day = facts.starts_on(fact)
    if fact.kind != pb.FACT_KIND_RESULT or day is None or (sources.today - day).days <= _OLD:
        return False
    is_newest = all(sources.with_key(each)[-1].fact_id == fact.fact_id for each in facts.about(fact).own_keys)
    return is_newest and any(each.kind in _WARN for each in rest)


def _by_harm(drugs: Sequence[Reconciled]) -> list[Reconciled]:
    """Those first that interact with most of the others, by the rows of `terminology.areas.suitability`."""
    return sorted(drugs, key=lambda drug: -sum(_meet(drug, other) for other in drugs if other is not drug))


def _meet(drug: Reconciled, other: Reconciled) -> bool:
    rows = areas.suitability()
    own, others = (areas.names_in_rows(facts.about(each.newest)) for each in (drug, other))
    return any(not others.isdisjoint(rows[each].beside) for each in own if each in rows)


def _same_moment(one: ClinicalFact, sources: Sources) -> Iterator[ClinicalFact]:
    if one.kind != pb.FACT_KIND_RESULT or not (one.HasField("quantity") and one.HasField("valid_from")):
        return
    for each in sources.of_kind(pb.FACT_KIND_RESULT):
        same = each.code == one.code and each.quantity.unit == one.quantity.unit and each.valid_from == one.valid_from
        if same and each.fact_id > one.fact_id and facts.organism(each) == facts.organism(one):
            yield each


def _ratio(one: ClinicalFact, other: ClinicalFact) -> float:
    first, second = facts.number(one.quantity), facts.number(other.quantity)
    if not first or not second or first * second <= 0:
        return 1.0
    return float(max(first / second, second / first))
