"""What happened: on which days, how often, for the first, the last or the only time, and what never did.

Procedures, vaccinations, problems, visits and prescriptions are occasions alike: facts with the day on which they
began.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts
from grounding.comparing import drugs, findings, meaning, problems
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.lexicon import Keys
from grounding.reading import names
from grounding.reading.nodes import Node

_DONE = (pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_IMMUNIZATION)
_CLASSES = {"EMER": ("EMER",), "IMP": ("IMP", "ACUTE", "NONAC"), "AMB": ("AMB",)}
_SAID_NOWHERE = "the record has no such entry"
_GROUPS = ("acts", "conditions", "regimens")


@dataclass(frozen=True)
class Occasions:
    """The facts of one thing that happened, oldest first, and the details that a text gives of it."""

    facts: tuple[ClinicalFact, ...]
    details: Callable[[ClinicalFact], Sequence[Outcome]] = lambda _: ()

    def fitting(self, spans: Iterable[Span]) -> list[ClinicalFact]:
        """Those that began in all these spans and are as is said."""
        wanted = list(spans)
        return [fact for fact in self.facts if all(_is_in(fact, span) for span in wanted)]

    @property
    def days(self) -> list[date]:
        return sorted({day for fact in self.facts if (day := facts.starts_on(fact))})


def event(node: Node, record: Record) -> list[Outcome]:
    """What happened, with its days, its number and its place in the order."""
    ordered = node.one("ordered")
    order = ordered.says("order") if ordered else node.says("order")
    if node.says("vaccinated"):
        return _vaccinated(node, record)
    targets = [ordered.all("what")[0]] if ordered else [one for each in node.all("what") for one in _each(each)]
    if not targets:
        return _of(node, visits(node.says("class"), record), order, record)
    return [each for one in targets for each in _of(node, occasions(one, record), order, record, one)]


def spans_of(whens: Iterable[Node], record: Record) -> list[Span]:
    return [span for when in whens for span in meaning.spans(when, record)]


def _vaccinated(node: Node, record: Record) -> list[Outcome]:
    """`Vaccinated against influenza`: a disease is named in place of its vaccine."""
    named = [one for each in node.all("what") for one in _each(each)]
    return [each for one in named for each in _of(node, _doses(one, record), node.says("order"), record, one)]


def _doses(node: Node, record: Record) -> Occasions:
    keys = act_keys(node) or frozenset({names.of_vaccine(node.text)})
    return Occasions(record.of(keys, pb.FACT_KIND_IMMUNIZATION))


def _each(node: Node) -> list[Node]:
    if node.kind in _GROUPS:
        return list(node.within(node.kind.removesuffix("s")))
    return [node]


def occasions(node: Node, record: Record) -> Occasions:
    """The occasions that a phrase names."""
    match node.kind:
        case "visit":
            return visits(node.says("class"), record)
        case "condition":
            return Occasions(tuple(problems.present(node, record)))
        case "finding":
            return Occasions(tuple(each for each in findings.named(node, record) if not facts.is_absent(each)))
        case "regimen":
            return Occasions(drugs.orders_of(node, record), lambda fact: drugs.details_of(node, fact))
        case "obs":
            keys = act_keys(node) | meaning.keys(node, names.OBSERVABLE)
            return Occasions(record.of(keys, pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_RESULT))
    return Occasions(record.of(act_keys(node), *_DONE, pb.FACT_KIND_PROBLEM))


def act_keys(node: Node) -> Keys:
    return meaning.keys(node, names.PROCEDURE, names.IMMUNIZATION)


def visits(classed: str, record: Record) -> Occasions:
    """The visits of a class, or all."""
    codes = _CLASSES.get(classed)
    return Occasions(tuple(fact for fact in record.encounters if codes is None or fact.code.code in codes))


def _of(node: Node, happened: Occasions, order: str, record: Record, target: Node | None = None) -> list[Outcome]:
    if not happened.facts:
        return [unsupported("event", _SAID_NOWHERE)]
    detailed = [fact for fact in happened.facts if all(each.holds for each in happened.details(fact))]
    if not detailed:
        return list(happened.details(happened.facts[-1]))
    pool = Occasions(tuple(detailed))
    groups = _groups(node, record)
    outcomes = [_dated(pool, spans) for spans in groups] or [supported("event", detailed[-1:])]
    return [*outcomes, *_ordered(pool, order, groups), *_counted(node, target, pool, groups)]


def _groups(node: Node, record: Record) -> list[list[Span]]:
    """The spans of each day that is named: of one `when` all together, of a list each by itself."""
    found = []
    for when in (*node.all("first"), *node.all("on")):
        each = when.all("when") if "days" in when.kinds else (when,)
        found += [spans_of([day], record) for day in each]
    if any(span.relation not in ("on", "between", "now", "after", "before") for spans in found for span in spans):
        raise UnclearError("which day is meant")
    return found


def _dated(happened: Occasions, spans: Sequence[Span]) -> Outcome:
    fitting = happened.fitting(spans)
    if fitting:
        return supported("date", fitting[-1:])
    days = ", ".join(map(str, happened.days[-3:]))
    return contradicted("date", f"the record has it on {days}" if days else _SAID_NOWHERE, happened.facts[-1:])


def _is_in(fact: ClinicalFact, span: Span) -> bool:
    start = facts.starts_on(fact)
    if not span.readings or start is None:
        return span.relation == "now" and start is not None
    if span.lasting and fact.kind == pb.FACT_KIND_MEDICATION:
        return span.is_from_to(start, facts.ends_on(fact))
    if span.relation == "after":
        return start > max(last for _, last in span.readings)
    if span.relation == "before":
        return start < min(first for first, _ in span.readings)
    return span.includes(start)


def _ordered(happened: Occasions, order: str, groups: Sequence[Sequence[Span]]) -> list[Outcome]:
    days = happened.days
    if not order or not days:
        return [unsupported("order", "the record does not date it")] if order else []
    match order:
        case "first" | "last":
            day = days[0] if order == "first" else days[-1]
            right = all(_on(day, spans) for spans in groups)
        case "again":
            right = any(all(_on(day, spans) for spans in groups[-1:]) and day > days[0] for day in days)
        case _:
            right = len(days) == 1
    told = f"the record has {len(days)}, from {days[0]} to {days[-1]}"
    return [supported("order", happened.facts[-1:]) if right else contradicted("order", told, happened.facts)]


def _on(day: date, spans: Sequence[Span]) -> bool:
    return all(span.includes(day) for span in spans if span.readings)


def _counted(node: Node, target: Node | None, happened: Occasions, groups: Sequence[Sequence[Span]]) -> list[Outcome]:
    count = _count(node, target)
    if count is None:
        return []
    listed = len(groups) > 1
    counted = happened if listed or not groups else Occasions(tuple(happened.fitting(groups[0])))
    actual = len(counted.days)
    right = actual == count and (not listed or len(groups) == count)
    told = f"the record has {actual}"
    return [supported("count", counted.facts) if right else contradicted("count", told, counted.facts)]


def _count(node: Node, target: Node | None) -> int | None:
    """How often, as is said; None where it is not."""
    numbers = [*node.all("n"), *(target.all("n") if target is not None else ())]
    if node.all("times"):
        times = node.all("times")[0]
        return meaning.count(times)
    if not numbers:
        return None
    said = meaning.amount(numbers[0])
    if said.unit or said.decimals or meaning.is_about(numbers[0]):
        raise UnclearError("how many are meant")
    return int(said.value)


def no_event(node: Node, record: Record) -> list[Outcome]:
    """What is denied. That it never happened no record says; that none is recorded, the whole record does."""
    found: list[Outcome] = []
    for each in node.all("what"):
        for one in _each(each):
            present = occasions(one, record).facts
            if present:
                found.append(contradicted("negation", f"the record has {facts.name_of(present[-1])}", present[-1:]))
            elif node.says("searched") and not record.mentions(one.text):
                found.append(supported("negation"))
            else:
                found.append(unsupported("negation", "nothing in the record denies it"))
    return found


def diagnosed_at(at: Sequence[ClinicalFact], node: Node, record: Record) -> list[Outcome]:
    """Whether each problem that is named belongs to one of these visits, by its visit number or its day."""
    if not at:
        return [unsupported("encounter", "the record has no such visit")]
    found: list[Outcome] = []
    for condition in problems.conditions(node):
        entries = problems.present(condition, record)
        fitting = [fact for fact in entries if any(_belongs(fact, visit) for visit in at)]
        found.append(
            supported("relation", [*at[-1:], *fitting[-1:]])
            if fitting
            else unsupported("relation", "the record does not say what it was for")
        )
    return found


def _belongs(fact: ClinicalFact, visit: ClinicalFact) -> bool:
    if fact.encounter_id and fact.encounter_id == visit.encounter_id:
        return True
    day, first = facts.starts_on(fact), facts.starts_on(visit)
    return day is not None and first is not None and first <= day <= (facts.ends_on(visit) or first)
