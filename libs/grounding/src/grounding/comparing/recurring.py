"""What recurs: each year of a span, first and second doses, lists of vaccinations, a dose that stays as it is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts
from grounding.comparing import drugs, events, prescriptions
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.reading.nodes import Node

_DOSES = ("first", "second", "third", "fourth")
_FEWEST = 2
_NO_ENTRY = "the record has no such entry"


def yearly(node: Node, record: Record) -> list[Outcome]:
    """In every year of the time that is told: `annually from 2012 to 2020`, `every year since 2009`."""
    spans = [span for span in events.spans_of((*node.all("on"), *node.all("when")), record) if span.readings]
    if [span.relation for span in spans] not in (["between"], ["since"]):
        raise UnclearError("in which years")
    return [_yearly(one, events.occasions(one, record), spans[0], record) for one in _named(node)]


def _named(node: Node) -> list[Node]:
    return [one for part in node.all("what") for one in events.each(part)]


def _yearly(one: Node, happened: events.Occasions, span: Span, record: Record) -> Outcome:
    own = [fact for fact in happened.facts if all(each.holds for each in happened.details(fact))]
    days = {day: fact for fact in own if (day := facts.starts_on(fact)) and _is_within(day, span)}
    if not own:
        return unsupported("event", f"{_NO_ENTRY} of {one.text}")
    first = min(begin for begin, _ in span.readings).year
    # The year that goes on may still bring it, and of those after the last entry nothing is known.
    known = min(record.today.year - 1, record.sources.last_seen.year)
    last = max(end for _, end in span.readings).year if span.relation == "between" else known
    missing = sorted(set(range(first, last + 1)) - {day.year for day in days})
    if missing or last <= first:
        return contradicted("date", f"the record has none in {', '.join(map(str, missing[:3])) or last}", own[-1:])
    return supported("date", days.values())


def _is_within(day: date, span: Span) -> bool:
    first = min(begin for begin, _ in span.readings)
    return day >= first if span.relation == "since" else span.includes(day)


def doses(node: Node, record: Record) -> list[Outcome]:
    """`First doses on A, second doses on B`: of each vaccine that is named the first day is A and the next one B."""
    wanted = [events.spans_of(node.all(place), record) for place in _DOSES if node.all(place)]
    return [_doses(events.doses(one, record).days, wanted, one) for one in _named(node)]


def _doses(days: Sequence[date], wanted: Sequence[Sequence[Span]], one: Node) -> Outcome:
    if not days:
        return unsupported("event", f"{_NO_ENTRY} of {one.text}")
    if len(days) >= len(wanted) and all(
        span.includes(day) for day, spans in zip(days, wanted, strict=False) for span in spans
    ):
        return supported("date")
    return contradicted("date", f"the record has it on {', '.join(map(str, days[: len(wanted)]))}")


def vaccination_list(node: Node, record: Record) -> list[Outcome]:
    """`Immunisations: influenza every year from 2012 to 2020, Td 2013`: each vaccine with the time behind it."""
    return [outcome for listed, whens, is_yearly in _entries(node) for one in events.each(listed)
            for outcome in _given(one, whens, record, is_yearly=is_yearly)]  # fmt: skip


def _entries(node: Node) -> Iterator[tuple[Node, tuple[Node, ...], bool]]:
    entry: Node | None = None
    whens: tuple[Node, ...] = ()
    is_yearly = False
    for part in node.parts:
        if part.kinds & {"acts", "conditions", "protected"}:
            if entry is not None:
                yield entry, whens, is_yearly
            entry, whens, is_yearly = part, (), False
        elif part.kinds & {"when", "days"}:
            whens = (*whens, part)
        elif part.text in _YEARLY:
            is_yearly = True
    if entry is not None:
        yield entry, whens, is_yearly


_YEARLY = frozenset(("every", "each", "annually", "yearly"))


def _given(one: Node, whens: tuple[Node, ...], record: Record, *, is_yearly: bool) -> list[Outcome]:
    happened = events.doses(one, record)
    if is_yearly:
        spans = [span for span in events.spans_of(whens, record) if span.readings]
        if [span.relation for span in spans] not in (["between"], ["since"]):
            raise UnclearError("in which years")
        return [_yearly(one, happened, spans[0], record)]
    dated = replace(one, kinds=frozenset({"event"}), roles={"on": whens}, sets={})
    return events.of(dated, happened, "", record, one)


def kept(node: Node, record: Record) -> list[Outcome]:
    """That the dose of a drug stayed as it was: it is that of each of its orders of the time that is told."""
    spans = [span for span in prescriptions.spans_of(node, record) if span.readings]
    return [outcome for one in drugs.regimens(node) for outcome in _kept(one, node.all("to"), spans, record)]


def _kept(regimen: Node, doses_: tuple[Node, ...], spans: Sequence[Span], record: Record) -> list[Outcome]:
    said = replace(regimen, roles={**regimen.roles, "dose": (*regimen.all("dose"), *doses_)}) if doses_ else regimen
    every = drugs.orders_of(regimen, record)
    if not every:
        return [unsupported("drug", drugs.NOT_TAKEN)]
    begun = [(fact, day) for fact in every if (day := facts.starts_on(fact))]
    own = [fact for fact, day in begun if all(_is_of(day, span) for span in spans)]
    if len(begun) < _FEWEST or not own or not facts.dosages(own[-1]):
        return [unsupported("dose", "the record has no two doses of it")]
    if any(span.relation == "since" and not span.includes(begun[0][1]) for span in spans):
        return [contradicted("date", drugs.when_of(every[0]), every[:1])]
    compared = own if any(span.relation in ("since", "between") for span in spans) else [fact for fact, _ in begun]
    if len({_dose(fact) for fact in compared}) > 1:
        return [unsupported("dose", "the record has several doses of it")]
    return drugs.details(said, own)


def _is_of(day: date, span: Span) -> bool:
    return day >= min(first for first, _ in span.readings) if span.relation == "since" else span.includes(day)


def _dose(fact: ClinicalFact) -> tuple[str, ...]:
    return tuple(f"{each.dose.value} {each.dose.unit}" for each in facts.dosages(fact))
