"""What changed since the last encounter, or since the last assessment that a physician signed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from grounding import Sources, Statement, facts, phrases
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


# What introduces drugs that are told with the day of their end.
_STOPPED, _ON_HOLD = "stopped: ", "on hold: "


@dataclass(frozen=True, slots=True)
class LastEncounter:
    """The encounter to compare with, and the moment it was over."""

    fact: ClinicalFact
    over: datetime


def last_encounter(sources: Sources) -> LastEncounter | None:
    """The newest encounter that is over and after which something was recorded; None at a first visit."""
    times = (facts.known_since(fact) for fact in sources.current if fact.HasField("quantity"))
    newest = max((each for each in times if each), default=None)
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
    new = [fact for fact in present if _began_after(sources, fact, last)]
    began = {fact.fact_id for fact in new}
    old = [fact for fact in present if fact.fact_id not in began]
    before = {facts.name_of(fact) for fact in old if fact.kind == FACT_KIND_MEDICATION}
    started = [fact for fact in _in_force(new, FACT_KIND_MEDICATION) if facts.name_of(fact) not in before]
    over = _over_since(sources, drugs, last)
    return [
        ("ordered: ", _distinct(started)),
        (_STOPPED, _distinct([fact for fact in over if not facts.is_on_hold(fact)])),
        (_ON_HOLD, _distinct([fact for fact in over if facts.is_on_hold(fact)])),
        ("new problem: ", _distinct(_unheard(old, _in_force(new, FACT_KIND_PROBLEM)))),
        ("new document: ", _distinct(_in_force(new, FACT_KIND_DOCUMENT))),
        ("new allergy: ", _distinct(_settled(sources, _unheard(old, _in_force(new, FACT_KIND_ALLERGY))))),
    ]


def _listed(last: LastEncounter, words: str, changed: list[ClinicalFact]) -> Statement | None:
    if not changed:
        return None
    entries = [_entry(fact, end=words in (_STOPPED, _ON_HOLD)) for fact in changed]
    listed: list[Part] = []
    for entry in entries:
        listed += [Words(", "), *entry] if listed else list(entry)
    return parts.statement(wire.STATEMENT_KIND_CHANGE, *_since(last), Words(words), *listed)


def _entry(fact: ClinicalFact, *, end: bool) -> tuple[Part, ...]:
    if not end:
        return (Name(fact.fact_id), *phrases.in_brackets(fact))
    return (Name(fact.fact_id), Words(" ("), Day(fact.fact_id, end=True), Words(")"))


def _since(last: LastEncounter) -> tuple[Part, ...]:
    over = facts.ends_on(last.fact) is not None
    return (Words("Since the last encounter ("), Day(last.fact.fact_id, end=over), Words("): "))


def _over_since(sources: Sources, drugs: list[ClinicalFact], last: LastEncounter) -> list[ClinicalFact]:
    going_on = {facts.name_of(fact) for fact in parts.in_use(sources)}
    over = [fact for fact in drugs if facts.has_ended(fact, sources.today) and facts.ends_on(fact)]
    return [f for f in over if facts.moment(f.valid_to) > last.over and facts.name_of(f) not in going_on]


def _in_force(new: list[ClinicalFact], kind: int) -> list[ClinicalFact]:
    return [fact for fact in new if fact.kind == kind and not facts.has_ended(fact)]


def _unheard(old: list[ClinicalFact], changed: list[ClinicalFact]) -> list[ClinicalFact]:
    """Without what the record said before, by name or by code: a problem that is entered again is not new."""
    kinds = {fact.kind for fact in changed}
    before = [(fact.kind, facts.name_of(fact), fact.code) for fact in old if fact.kind in kinds]
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


def _began_after(sources: Sources, fact: ClinicalFact, last: LastEncounter) -> bool:
    """Whether it began since; what has no stated start, whether it was first stated since."""
    known = sources.known_since(fact)
    return known is not None and known > last.over


def _distinct(changed: list[ClinicalFact]) -> list[ClinicalFact]:
    """One fact per name, the newest."""
    return list({facts.name_of(fact): fact for fact in changed}.values())


def _is_over(fact: ClinicalFact) -> bool:
    return fact.status == FACT_STATUS_ENDED or facts.ends_on(fact) is not None


def _over(fact: ClinicalFact) -> datetime:
    return facts.moment(fact.valid_to if facts.ends_on(fact) else fact.valid_from)


RULES = (Rule(since_last_encounter, place=120),)
