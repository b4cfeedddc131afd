"""That none of something is recorded, in the whole record or in a time of it: problems, drugs, procedures,
vaccinations, results, panels and visits alike.

Guarantee: it is supported only where no entry of the whole record, no computed value and no text may be of it; what
goes on into that time, or has no day, leaves it open.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import families
from terminology.scan import american

from grounding import facts
from grounding.comparing import drugs, events, meaning, problems
from grounding.comparing.meaning import Span
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.lexicon import Keys
from grounding.reading import names
from grounding.reading.nodes import Node

_THINGS = frozenset(("conditions", "acts", "regimens", "obs", "panel", "bp", "pressure", "visit", "observed"))
# What is told of those behind some that are there.
_MORE = frozenset(("further", "other", "new", "subsequent", "repeat", "additional", "again"))
_DETAILS = ("dose", "frequency", "route", "form", "strength", "for")


def unrecorded(node: Node, record: Record) -> list[Outcome]:
    """That none of several things is recorded, whatever each of them is."""
    spans = events.spans_of(node.all("when"), record)
    is_more = any(part.text in _MORE for part in node.parts)
    things = [one for part in node.parts if part.kinds & _THINGS for one in events.each(part)]
    return [_unrecorded(one, spans, record.whole, is_more=is_more) for one in things]


def _unrecorded(one: Node, spans: Sequence[Span], record: Record, *, is_more: bool) -> Outcome:
    dated = [span for span in spans if span.readings]
    if len(dated) < len(spans) or (is_more and not dated):
        return unsupported("absence", "of which time it is said is not clear")
    here = list(entries(one, record))
    within = [fact for fact in here if all(_may_be_in(fact, span) for span in dated)]
    begun = [fact for fact in within if all(events.is_in(fact, span) for span in dated)]
    if begun and not any(one.all(detail) for detail in _DETAILS):
        return contradicted("negation", f"the record has {facts.name_of(begun[-1])}", begun[-1:])
    if within or not _is_known(one, here) or _is_told(one, here, record):
        return unsupported("negation", "nothing in the record denies it")
    return supported("absence", here[-1:])


def entries(one: Node, record: Record) -> Iterator[ClinicalFact]:
    """Every entry that may be of a thing: under any of its names, of a class or a panel what belongs to it."""
    keys = with_members(meaning.keys(one, *names.KINDS))
    found = {fact.fact_id: fact for fact in record.of(keys)}
    own: dict[str, Callable[[], Iterable[ClinicalFact]]] = {
        "condition": lambda: problems.present(one, record),
        "regimen": lambda: drugs.orders_of(one, record),
        "act": lambda: events.occasions(one, record).facts,
        "visit": lambda: events.occasions(one, record).facts,
    }
    found |= {fact.fact_id: fact for kind in one.kinds & own.keys() for fact in own[kind]()}
    used = (fact for point in record.computed(keys) for fact in point.facts)
    every = {**found, **{fact.fact_id: fact for fact in used}}.values()
    told = (fact for fact in every if not facts.is_absent(fact) and not facts.is_family_history(fact))
    yield from sorted(told, key=facts.in_time)


def with_members(keys: Keys) -> Keys:
    """Keys, and of a panel those of its members."""
    return keys.union(*(names.members().get(key, ()) for key in keys))


def _may_be_in(fact: ClinicalFact, span: Span) -> bool:
    """Whether an entry may be of a time: it began in it, went on into it, or has no day."""
    start = facts.starts_on(fact)
    if start is None or events.is_in(fact, span):
        return True
    if fact.kind not in (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_MEDICATION, pb.FACT_KIND_ALLERGY, pb.FACT_KIND_ENCOUNTER):
        return False
    first = min(first for first, _ in span.readings)
    end = facts.ends_on(fact)
    return start < first and span.relation != "before" and (end is None or end >= first)


def _is_known(one: Node, here: Sequence[ClinicalFact]) -> bool:
    """Whether its name is one under which all that may be meant is found."""
    if "condition" not in one.kinds:
        return True
    name = " ".join(part.text for part in one.parts if names.PROBLEM in part.kinds)
    return bool(here or families.by_name(name))


def _is_told(one: Node, here: Sequence[ClinicalFact], record: Record) -> bool:
    """Whether words beside entries of it may speak of it."""
    unread = {fact.fact_id for fact in record.of_kind(pb.FACT_KIND_DOCUMENT)}
    unread -= {note.fact_id for note in record.sources.notes}
    if not here:
        return bool(unread) or events.is_mentioned(one, record)
    named = [american(part.text) for part in one.parts if part.kinds] or [american(one.text)]
    texts = [american(note.text) for note in record.sources.notes]
    return bool(unread) or any(name in text for name in named for text in texts)
