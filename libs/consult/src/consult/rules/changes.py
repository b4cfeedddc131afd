"""What changed since the last encounter, or since the last assessment that a physician signed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from grounding import Sources, Statement, facts
from grounding.kinds import trend
from grounding.statements import Day, Name, Part, Words
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_DOCUMENT,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_STATUS_ENDED,
    ClinicalFact,
)
from terminology.loinc import ACR, CREATININE, EGFR, HAEMOGLOBIN, HBA1C, POTASSIUM, SODIUM, SYSTOLIC, WEIGHT

from consult.rule import Rule
from consult.rules import parts
from consult.rules.contradictions import is_unconfirmed

# LOINC -> smallest change worth telling, in the result's own unit. Beyond biological and analytical variation
# (reference change values after Fraser CG, Biological Variation, AACC Press 2001, rounded).
WORTH_TELLING: dict[str, Decimal] = {
    EGFR: Decimal(10),
    CREATININE: Decimal("0.3"),
    POTASSIUM: Decimal("0.5"),
    SODIUM: Decimal(5),
    HBA1C: Decimal("0.5"),
    HAEMOGLOBIN: Decimal("1.0"),
    ACR: Decimal(100),
    WEIGHT: Decimal(3),
    SYSTOLIC: Decimal(20),
}


@dataclass(frozen=True, slots=True)
class LastEncounter:
    """The encounter to compare with, and the moment it was over."""

    fact: ClinicalFact
    over: datetime


def last_encounter(sources: Sources) -> LastEncounter | None:
    """The newest encounter that is over and after which something was recorded; None at a first visit."""
    newest = max((facts.moment(fact.valid_from) for fact in sources.current if _tells(fact)), default=None)
    ended = [LastEncounter(fact, _over(fact)) for fact in sources.encounters() if _is_over(fact)]
    before = [each for each in ended if newest is not None and each.over < newest]
    return max(before, key=lambda each: each.over, default=None)


def since_last_encounter(sources: Sources) -> list[Statement]:
    """Results that moved, drugs started, ordered or stopped, and problems and allergies that are new since then.

    Source: the record itself; thresholds in `WORTH_TELLING`.
    """
    last = last_encounter(sources)
    if last is None:
        return []
    moved = [_moved(sources, last, loinc, least) for loinc, least in WORTH_TELLING.items()]
    lists = [_listed(last, words, found) for words, found in _lists(sources, last)]
    return [each for each in (*moved, *lists) if each is not None]


def _moved(sources: Sources, last: LastEncounter, loinc: str, least: Decimal) -> Statement | None:
    """The last value known when the encounter was over, against the newest."""
    series = trend.in_one_unit(sources.series(loinc))
    before = [fact for fact in series if facts.moment(fact.valid_from) <= last.over]
    after = [fact for fact in series if facts.moment(fact.valid_from) > last.over]
    if not (before and after):
        return None
    first, newest = (facts.number(fact.quantity) for fact in (before[-1], after[-1]))
    if first is None or newest is None or abs(newest - first) < least:
        return None
    if trend.direction([before[-1], after[-1]]) == trend.SAME:
        return None
    moved = trend.course(sources, (before[-1].fact_id, after[-1].fact_id))
    return parts.statement(wire.STATEMENT_KIND_CHANGE, *_since(last), *moved)


def _lists(sources: Sources, last: LastEncounter) -> list[tuple[str, list[ClinicalFact]]]:
    """What is new or over since then, by the words that introduce it."""
    present = [fact for fact in sources.current if not facts.is_absent(fact)]
    drugs = [fact for fact in present if fact.kind == FACT_KIND_MEDICATION]
    started = [fact for fact in drugs if _began_after(fact, last)]
    before = {facts.name_of(fact) for fact in drugs if not _began_after(fact, last)}
    new = [fact for fact in started if facts.name_of(fact) not in before]
    return [
        ("ordered: ", _distinct([fact for fact in new if facts.is_order(fact)])),
        (
            "new medication, active: ",
            _distinct([fact for fact in new if not facts.is_order(fact) and not facts.has_ended(fact)]),
        ),
        ("stopped: ", _stopped(sources, drugs, last)),
        ("new problem: ", _distinct(_unheard(present, _new(present, FACT_KIND_PROBLEM, last), last))),
        ("new document: ", _distinct(_new(present, FACT_KIND_DOCUMENT, last))),
        (
            "new allergy: ",
            _distinct(_settled(sources, _unheard(present, _new(present, FACT_KIND_ALLERGY, last), last))),
        ),
    ]


def _listed(last: LastEncounter, words: str, changed: list[ClinicalFact]) -> Statement | None:
    if not changed:
        return None
    ended = words == "stopped: "
    entries = [_entry(fact, end=ended) for fact in changed]
    listed: list[Part] = []
    for entry in entries:
        listed += [Words(", "), *entry] if listed else list(entry)
    return parts.statement(wire.STATEMENT_KIND_CHANGE, *_since(last), Words(words), *listed)


def _entry(fact: ClinicalFact, *, end: bool) -> tuple[Part, ...]:
    dated = facts.ends_on(fact) if end else facts.starts_on(fact)
    return (Name(fact.fact_id), *((Words(" ("), Day(fact.fact_id, end=end), Words(")")) if dated else ()))


def _since(last: LastEncounter) -> tuple[Part, ...]:
    over = facts.ends_on(last.fact) is not None
    return (Words("Since the last encounter ("), Day(last.fact.fact_id, end=over), Words("): "))


def _stopped(sources: Sources, drugs: list[ClinicalFact], last: LastEncounter) -> list[ClinicalFact]:
    going_on = {facts.name_of(fact) for fact in parts.in_use(sources)}
    over = [fact for fact in drugs if facts.has_ended(fact, sources.today) and fact.HasField("valid_to")]
    return _distinct([f for f in over if facts.moment(f.valid_to) > last.over and facts.name_of(f) not in going_on])


def _new(present: list[ClinicalFact], kind: int, last: LastEncounter) -> list[ClinicalFact]:
    return [
        fact for fact in present if fact.kind == kind and fact.status != FACT_STATUS_ENDED and _began_after(fact, last)
    ]


def _unheard(present: list[ClinicalFact], changed: list[ClinicalFact], last: LastEncounter) -> list[ClinicalFact]:
    """Without what the record said before, by name or by code: a problem that is entered again is not new."""
    before = [(fact.kind, facts.name_of(fact), fact.code) for fact in present if not _began_after(fact, last)]
    return [
        fact
        for fact in changed
        if not any(
            kind == fact.kind and (name == facts.name_of(fact) or (code.code and code == fact.code))
            for kind, name, code in before
        )
    ]


def _settled(sources: Sources, changed: list[ClinicalFact]) -> list[ClinicalFact]:
    """What is contradicted or unconfirmed is put as a question and not told as news."""
    return [fact for fact in changed if fact.fact_id not in sources.disputed and not is_unconfirmed(fact)]


def _began_after(fact: ClinicalFact, last: LastEncounter) -> bool:
    return fact.HasField("valid_from") and facts.moment(fact.valid_from) > last.over


def _distinct(changed: list[ClinicalFact]) -> list[ClinicalFact]:
    """One fact per name, the newest."""
    return list({facts.name_of(fact): fact for fact in changed}.values())


def _tells(fact: ClinicalFact) -> bool:
    return fact.HasField("valid_from") and fact.HasField("quantity")


def _is_over(fact: ClinicalFact) -> bool:
    return fact.status == FACT_STATUS_ENDED or facts.ends_on(fact) is not None


def _over(fact: ClinicalFact) -> datetime:
    return facts.moment(fact.valid_to if facts.ends_on(fact) else fact.valid_from)


RULES = (Rule(since_last_encounter, place=120),)
