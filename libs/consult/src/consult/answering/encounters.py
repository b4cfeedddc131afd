"""Visits as an answer: when somebody was last seen or in hospital and why, and how often."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from grounding import Sources, Statement, facts
from grounding.comparing import events
from grounding.reading import names
from grounding.statements import Count, Day, Name, Part, Reaction, Words
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from consult.answering import windows, wording
from consult.answering.inquiry import Form, Inquiry, area_keys
from consult.answering.wording import Ways
from consult.context.relevance import terms

# What is told of a class of visits, and of many of them.
_CLASSES = {"AMB": "Ambulatory visit", "EMER": "Emergency visit", "IMP": "Inpatient stay"}
_MANY = {"AMB": "ambulatory visits", "EMER": "emergency visits", "IMP": "inpatient stays"}
_ANY = "encounters"
# The classes that a form asks for; a visit may be of any.
_ASKED: dict[Form, tuple[str, ...]] = {
    Form.STAY: ("IMP",),
    Form.EMERGENCY: ("EMER",),
    Form.VISIT: (),
}
# Visits that are told one by one, the newest first.
_MOST = 4


def asked(inquiry: Inquiry) -> bool:
    """Whether visits are what is asked for, and not the time of something else."""
    when = inquiry.asks(Form.WHEN, Form.COUNT, Form.REASON)
    if inquiry.asks(Form.SUITABILITY) or (inquiry.asks(Form.CHANGE) and not when):
        return False
    return inquiry.asks(*_ASKED) and (when or not inquiry.about_something)


def asked_beside(inquiry: Inquiry) -> bool:
    """Whether emergencies or stays for something are asked for beside the thing itself."""
    return inquiry.asks(Form.EMERGENCY, Form.STAY) and inquiry.about_something and not inquiry.asks(Form.SUITABILITY)


def spans(inquiry: Inquiry, sources: Sources) -> list[windows.Span]:
    """The days of the newest visit of the classes that are asked for, where it is asked what happened in it."""
    told = inquiry.asks(Form.HAPPENED, Form.SUMMARY, Form.DONE, Form.TREATMENT)
    if not told and (not inquiry.days or inquiry.asks(Form.WHEN, Form.COUNT, Form.REASON)):
        return []
    classes = [each for form, own in _ASKED.items() if inquiry.asks(form) for each in own]
    own = [each for each in _concerning(inquiry, sources) if not classes or each.code.code in classes]
    return [windows.days_of(each) for each in own[-1:]]


def day_before(sources: Sources) -> date | None:
    """The day of the last visit behind which anything was recorded; none where there is no such visit."""
    seen = sorted({day for each in sources.encounters() if (day := facts.starts_on(each)) and day <= sources.today})
    return next((day for day in reversed(seen) if day < sources.last_seen), None)


def around(inquiry: Inquiry, sources: Sources) -> Iterator[Ways]:
    """Of each class that is asked for, how many where that is asked, then the newest; none where nothing fits."""
    every = _concerning(inquiry, sources)
    # An emergency visit is no visit of any class.
    beside = {Form.VISIT} if inquiry.asks(Form.EMERGENCY) else set[Form]()
    for classes in (own for form, own in _ASKED.items() if inquiry.asks(form) and form not in beside):
        own = [each for each in every if not classes or each.code.code in classes]
        own = (
            own or [each for each in _concerning(replace(inquiry, days=()), sources) if each.code.code in classes][-1:]
        )
        if own and inquiry.asks(Form.COUNT):
            yield (_counted(own, classes),)
        yield from map(visit, _chosen(own, inquiry))


def visit(fact: ClinicalFact) -> Ways:
    """`Inpatient stay from 2026-11-10 to 2026-11-13, reason “chest pain”.`, the fullest way first."""
    known = _CLASSES.get(fact.code.code)
    named: tuple[Part, ...] = (Words(known),) if known else (Name(fact.fact_id, capital=True),)
    lasted = facts.ends_on(fact) not in (None, facts.starts_on(fact))
    on = (*named, Words(" on "), Day(fact.fact_id))
    over = (*named, Words(" from "), Day(fact.fact_id), Words(" to "), Day(fact.fact_id, end=True))
    reason = (Words(", reason “"), Reaction(fact.fact_id), Words("”")) if fact.note.strip() else ()
    spans = (over, on) if lasted else (on,)
    told = [(*span, *reason) for span in spans] + (list(spans) if reason else [])
    return tuple(Statement(wire.STATEMENT_KIND_EVENT, parts) for parts in told)


def _chosen(own: Sequence[ClinicalFact], inquiry: Inquiry) -> Sequence[ClinicalFact]:
    if inquiry.asks(Form.FIRST) and not inquiry.asks(Form.LAST):
        return own[:1]
    most = 1 if inquiry.asks(Form.LAST) else _MOST
    return own[: -most - 1 : -1]


def _counted(own: Sequence[ClinicalFact], classes: Sequence[str]) -> Statement:
    """`3 inpatient stays: on 2025-02-10, 2025-05-01 and 2025-11-02.`; of many the first and the last."""
    ids = tuple(each.fact_id for each in own)
    days = list({facts.starts_on(each): each for each in own}.values())
    if len(days) == 1:
        return visit(days[0])[-1]
    named = Words(f" {_MANY.get(classes[0], _ANY) if classes else _ANY}")
    return Statement(wire.STATEMENT_KIND_EVENT, (Count(ids), named, *wording.on_days(days)), ids)


def _concerning(inquiry: Inquiry, sources: Sources) -> list[ClinicalFact]:
    """Visits up to today in the time that is named, and for what is named; the oldest first."""
    spans = windows.named(inquiry, sources)
    seen = [each for each in sources.encounters() if (facts.starts_on(each) or sources.today) <= sources.today]
    seen = [each for each in seen if not spans or any(windows.is_within(each, span) for span in spans)]
    keys = frozenset().union(*(each.keys for each in inquiry.mentions), *map(area_keys, inquiry.areas))
    return [each for each in sorted(seen, key=facts.in_time) if not keys or _is_for(each, keys, inquiry, sources)]


def _is_for(fact: ClinicalFact, keys: frozenset[str], inquiry: Inquiry, sources: Sources) -> bool:
    """Whether its reason shares a word with what is named, or a problem of it began there."""
    named = frozenset(stem for each in inquiry.mentions for stem in terms(each.text))
    if not named.isdisjoint(terms(f"{fact.note} {facts.name_of(fact)}")):
        return True
    problems = sources.of_kind(pb.FACT_KIND_PROBLEM)
    return any(not keys.isdisjoint(names.keys_of(each)) and events.belongs(each, fact) for each in problems)
