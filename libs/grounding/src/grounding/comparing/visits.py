"""Visits and what they were for: attended with an illness, so often, each of a list on its day."""

from dataclasses import replace
from datetime import date

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts
from grounding.comparing import events, meaning, results
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.reading import names
from grounding.reading.nodes import Node

_NIGHTS = ("night", "nights")


def attended(node: Node, record: Record) -> list[Outcome]:
    """Visits of a class on the days that are named, how many, and the problems that belong to them."""
    happened = _visits(node, record)
    if not any(node.all(role) for role in ("conditions", "observed", "acts")):
        return events.of(node, happened, events.order_of(node), record)
    spans = events.spans_of((*node.all("first"), *node.all("on")), record)
    if not happened.facts:
        return [unsupported("event", "the record has no such visit")]
    order = events.order_of(node)
    if order:
        chosen = happened.days[:1] if order == "first" else happened.days[-1:]
        happened = events.Occasions(tuple(fact for fact in happened.facts if facts.starts_on(fact) in chosen))
    fitting = events.fitting(happened, spans)
    if not fitting:
        return [contradicted("date", f"the record has a visit on {happened.days[-1]}", happened.facts[-1:])]
    if node.all("times"):
        raise UnclearError("what each visit was for")
    return events.diagnosed_at(fitting, node, record)


def reason(node: Node, record: Record) -> list[Outcome]:
    """The reason of a visit in the words in which it was sent."""
    happened = events.occasions(node.one("what") or node.all("what")[0], record)
    fitting = events.fitting(happened, events.spans_of(node.all("on"), record))
    if not fitting:
        return [unsupported("encounter", "the record has no such visit")]
    wanted = {" ".join(str(each.value).split()).casefold() for each in node.all("quote")}
    own = [fact for fact in fitting if " ".join(fact.note.split()).casefold() in wanted]
    if own:
        return [supported("quote", own[-1:])]
    return [contradicted("quote", "the visit states another reason, or none", fitting[-1:])]


def tested(node: Node, record: Record) -> list[Outcome]:
    """A test with its results, which are those of its day. A panel may have no entry beside its results."""
    done = events.event(node, record)
    if not all(each.holds for each in done):
        is_panel = bool(meaning.keys(node, names.PROCEDURE, names.PANEL) & names.members().keys())
        return (
            results.measured(node, record) if is_panel and node.all("on") and not node.all("ordered") else _unsure(done)
        )
    named = {facts.starts_on(record.sources.fact(fact_id)) for each in done for fact_id in each.fact_ids}
    days = sorted(day for day in named if day)
    if len(days) != 1:
        raise UnclearError("which of the tests is meant")
    day = Node("", node.end, node.end, frozenset({"when"}), value=Span("on", ((days[0], days[0]),)))
    dated = replace(node, parts=(*node.parts, day), roles={**node.roles, "when": (day,)})
    return [*done, *results.measured(dated, record)]


def _unsure(outcomes: list[Outcome]) -> list[Outcome]:
    wrong = (each for each in outcomes if not each.holds)
    return [unsupported(each.check, each.reason) for each in wrong]


def began(node: Node, record: Record) -> list[Outcome]:
    """A visit or a stay that began at that time."""
    happened = _meant(node.all("what")[0], record)
    spans = events.spans_of(node.all("on"), record)
    if not spans:
        raise UnclearError("when it began")
    fitting = events.fitting(happened, spans)
    if fitting:
        return [supported("date", fitting[-1:])]
    return [contradicted("date", f"the record has it on {happened.days[-1]}", happened.facts[-1:])]


def lasted(node: Node, record: Record) -> list[Outcome]:
    """How long a stay or an illness took: as many days, or one more where both ends are counted."""
    happened = _meant(node.all("what")[0], record) if node.all("what") else events.visits("IMP", record)
    of_days = events.fitting(happened, events.spans_of(node.all("on"), record))
    if not of_days:
        return [unsupported("encounter", "the record has no such entry at that time")]
    fitting = [fact for fact in of_days if _took(fact, node, record)]
    if fitting:
        return [supported("interval", fitting[-1:])]
    last = of_days[-1]
    told = f"the record has it from {facts.starts_on(last)} to {facts.ends_on(last)}"
    if len(of_days) > 1 or facts.ends_on(last) is None:
        return [unsupported("interval", told)]
    return [contradicted("interval", told, [last])]


def _took(fact: ClinicalFact, node: Node, record: Record) -> bool:
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    if start is None or (end is None and fact.kind != pb.FACT_KIND_ENCOUNTER):
        return False
    last = end or start
    lengths = [_is_so_long((last - start).days, each) for each in node.all("duration")]
    lengths += [span.is_from_to(start, last) for span in events.spans_of(node.all("on"), record) if span.lasting]
    spans = events.spans_of(node.all("length"), record)
    return all(lengths) and all(_is_over(start, last, span) for span in spans)


def _is_so_long(actual: int, length: Node) -> bool:
    if any(part.text in _NIGHTS for part in length.parts):
        return meaning.days(length) == actual
    slack, told = meaning.slack_of(length), meaning.days(length)
    return actual - slack <= told <= actual + 1 + slack


def _is_over(start: date, end: date, span: Span) -> bool:
    """Whether it took the time that is told: from one day to another, until a day, so long."""
    match span.relation:
        case "between":
            return span.is_from_to(start, end)
        case "until":
            return span.includes(end)
        case "span":
            return abs((end - start).days - span.length) <= max(1.0, span.length / 10)
    raise UnclearError("how long it took")


def _meant(what: Node, record: Record) -> events.Occasions:
    """The stays or visits that are named by their day or their class."""
    if "anchor" not in what.kinds:
        named = [fact for one in events.each(what) for fact in events.occasions(one, record).facts]
        return events.Occasions(tuple(named))
    span = meaning.visit(what, record)
    every = events.visits("IMP" if what.says("event") in ("stay", "admission") else "ANY", record)
    happened = events.Occasions(tuple(events.fitting(every, [span])))
    if not happened.facts:
        raise UnclearError("which visit is meant")
    return happened


def _visits(node: Node, record: Record) -> events.Occasions:
    ordered = node.one("what") if node.all("what") and "ordered" in node.all("what")[0].kinds else None
    if ordered:
        happened = events.occasions(ordered.all("what")[0], record)
        days = happened.days
        chosen = days[-1:] if ordered.says("order") == "last" else days[:1]
        if ordered.says("order") == "only" and len(days) != 1:
            return events.Occasions(())
        return events.Occasions(tuple(fact for fact in happened.facts if facts.starts_on(fact) in chosen))
    if node.all("what"):
        return events.occasions(node.all("what")[0], record)
    return events.visits(node.says("class"), record)


def listed(node: Node, record: Record) -> list[Outcome]:
    """`ED visits: chest pain in 2020, headache in 2021`: each on its day."""
    happened = events.occasions(node.all("what")[0], record)
    days = node.all("on")
    named = sorted((*node.all("conditions"), *node.all("observed")), key=lambda one: one.start)
    if len(named) != len(days):
        raise UnclearError("which day belongs to which")
    found = [outcome for one, day in zip(named, days, strict=True) for outcome in _one(one, day, happened, record)]
    count = events.number(node.all("n"))
    if count is not None and (count != len(days) or count != len(happened.days)):
        told = f"the record has {len(happened.days)}"
        return [*found, contradicted("count", told, happened.facts[-1:])]
    return found


def _one(problem: Node, day: Node, happened: events.Occasions, record: Record) -> list[Outcome]:
    fitting: list[ClinicalFact] = events.fitting(happened, events.spans_of([day], record))
    if not fitting:
        return [contradicted("date", "the record has no such visit on that day", happened.facts[-1:])]
    return [supported("date", fitting[-1:]), *events.belonging(fitting, problem, record)]
