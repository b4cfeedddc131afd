"""What happened: on which days, how often, for the first, the last or the only time, and what never did.

Procedures, vaccinations, problems, visits and prescriptions are occasions alike: facts with the day on which they
began.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts, lexicon
from grounding.comparing import drugs, findings, meaning, problems
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.lexicon import Keys
from grounding.reading import names, wordings
from grounding.reading.nodes import Node

_DONE = (pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_IMMUNIZATION)
_CLASSES = {"EMER": ("EMER",), "IMP": ("IMP", "ACUTE", "NONAC"), "AMB": ("AMB",)}
_ACTS = frozenset((names.PROCEDURE, names.IMMUNIZATION))
_BEFORE = re.compile(r"((?:tested|screened|tests?|testing|screening|checked) for) ", re.IGNORECASE)
_BEHIND = re.compile(r" (tests?|testing|screening|vaccines?|vaccinations?|shots?|boosters?)$", re.IGNORECASE)
_TWO = 2
_PLACES = ("first", "second", "third")
# Words of a film that are no place of the body; of the chest one is named in one word.
_OF_FILM = re.compile(r"\b(?:a|an|the|her|his|of|plain|portable|film|x|ray|xray|radiograph|was|taken)\b|[^a-z ]")
_XRAY = "x-ray"
_SAID_NOWHERE = "the record has no such entry"
_OF_LIFE = frozenset(("young", "decade-of-life"))
_GROUPS = ("acts", "conditions", "regimens")


@dataclass(frozen=True)
class Occasions:
    """The facts of one thing that happened, oldest first, and the details that a text gives of it."""

    facts: tuple[ClinicalFact, ...]
    details: Callable[[ClinicalFact], Sequence[Outcome]] = lambda _: ()

    def fitting(self, spans: Iterable[Span]) -> list[ClinicalFact]:
        """Those that began in all these spans and are as is said."""
        wanted = list(spans)
        return [fact for fact in self.facts if all(is_in(fact, span) for span in wanted)]

    @property
    def days(self) -> list[date]:
        return sorted({day for fact in self.facts if (day := facts.starts_on(fact))})


def event(node: Node, record: Record) -> list[Outcome]:
    """What happened, with its days, its number and its place in the order."""
    latest = [each for each in node.all("on") if each.all("first") and each.all("first")[0].says("time") == "now"]
    if latest and node.says("counted"):
        # `Several times, most recently in May`: the day is that of the last.
        days = tuple(second for each in latest for second in each.all("second"))
        counted = event(replace(node, roles={**node.roles, "on": ()}), record)
        last = replace(node, sets={"order": "last"}, roles={**node.roles, "on": days, "times": ()})
        return [*counted, *event(last, record)]
    ordered = node.one("ordered")
    order = order_of(node)
    if node.says("vaccinated"):
        return _vaccinated(node, record)
    told = [part for part in node.parts if part.kind in _GROUPS] if node.says("listed") else node.all("what")
    targets = [ordered.all("what")[0]] if ordered else [one for part in told for one in each(part)]
    if not targets:
        return of(node, visits(node.says("class"), record), order, record)
    shared = _shared(targets)
    return [
        outcome
        for one in targets
        for outcome in of(node, _completed(one, shared, record) or occasions(one, record), order, record, one)
    ]


def order_of(node: Node) -> str:
    """Which of what happened is meant. UnclearError for the rank of a value (`the highest`)."""
    told = [*node.all("rank"), *([node] if node.says("order") else node.all("ordered"))]
    order = told[0].says("order") if told else ""
    counts = (one.text.lower() != "one" for rank in node.all("rank") for one in rank.all("one"))
    if node.all("rank") and (order not in ("first", "last") or any(counts)):
        raise UnclearError("which occasion is meant")
    return order


def _shared(targets: Sequence[Node]) -> str:
    """What the names of a list share: `tested for HIV and syphilis`, `influenza and hepatitis B vaccines`."""
    if len(targets) < _TWO:
        return ""
    first, last = _BEFORE.match(targets[0].text), _BEHIND.search(targets[-1].text)
    return f"{first[1]} {{}}" if first else f"{{}} {last[1]}" if last else ""


def _completed(one: Node, shared: str, record: Record) -> Occasions | None:
    """The occasions of a name of a list that leaves out what it shares with the others."""
    if not shared or {"act"} & one.kinds:
        return None
    named = (each.keys for each in lexicon.find(shared.format(one.text), *names.everywhere()))
    done = frozenset(key for own in named for key in own if names.kinds_of(frozenset({key})) & _ACTS)
    return Occasions(record.of(done, *_DONE)) if done else None


def spans_of(whens: Iterable[Node], record: Record) -> list[Span]:
    return [span for when in whens for span in meaning.spans(when, record)]


def _vaccinated(node: Node, record: Record) -> list[Outcome]:
    """`Vaccinated against influenza`: a disease is named in place of its vaccine."""
    named = [one for part in node.all("what") for one in each(part)]
    return [outcome for one in named for outcome in of(node, doses(one, record), node.says("order"), record, one)]


def doses(node: Node, record: Record) -> Occasions:
    """The doses of a vaccine; a disease stands for the vaccine against it."""
    keys = act_keys(node) | names.of_antigens(meaning.keys(node, names.ANTIGEN))
    return Occasions(record.of(keys or frozenset({names.of_vaccine(node.text)}), pb.FACT_KIND_IMMUNIZATION))


def each(node: Node) -> list[Node]:
    """The single things of a list."""
    if node.kind in ("observed", "protected"):
        return [part for part in node.parts if part.kinds]
    if node.kind in _GROUPS:
        return list(node.within(node.kind.removesuffix("s")))
    return [node]


def occasions(node: Node, record: Record) -> Occasions:
    """The occasions that a phrase names."""
    match node.kind:
        case "visit" | "anchor":
            if node.all("date"):
                raise UnclearError("which visit is meant")
            return visits("IMP" if node.says("event") in ("admission", "stay") else node.says("class"), record)
        case "condition":
            # What was done is a problem too where its history is recorded; beside the deed it is no second one.
            done = record.of(act_keys(node), *_DONE)
            told = [
                fact
                for fact in problems.onsets(problems.present(node, record))
                if not (done and problems.is_history(fact))
            ]
            return Occasions(tuple(sorted((*told, *done), key=facts.in_time)))
        case "finding" | "film":
            there = findings.named(node, record) if node.kind == "finding" else _films(node, record)
            return Occasions(tuple(each for each in there if not facts.is_absent(each)))
        case "regimen":
            return Occasions(drugs.orders_of(node, record), lambda fact: drugs.details_of(node, fact))
        case "obs":
            keys = act_keys(node) | meaning.keys(node, names.OBSERVABLE)
            return Occasions(record.of(keys, pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_RESULT))
    return Occasions(record.of(act_keys(node), *_DONE, pb.FACT_KIND_PROBLEM))


def _films(node: Node, record: Record) -> tuple[ClinicalFact, ...]:
    """X-rays of the place of the body that a phrase names, or of any."""
    text = " ".join(part.text for part in node.parts if "when" not in part.kinds).lower().replace("cxr", "chest film")
    places = set(_OF_FILM.sub(" ", text).split())
    done = ((fact, facts.name_of(fact).lower()) for fact in record.of_kind(*_DONE))
    return tuple(fact for fact, name in done if _XRAY in name and all(place in name for place in places))


def act_keys(node: Node) -> Keys:
    return meaning.keys(node, names.PROCEDURE, names.IMMUNIZATION)


def visits(classed: str, record: Record) -> Occasions:
    """The visits of a class, or all."""
    codes = _CLASSES.get(classed)
    return Occasions(tuple(fact for fact in record.encounters if codes is None or fact.code.code in codes))


def of(node: Node, named: Occasions, order: str, record: Record, target: Node | None = None) -> list[Outcome]:
    """What a clause says of these occasions."""
    happened = _placed(named, node, record)
    if not happened.facts:
        return [unsupported("event", _SAID_NOWHERE)]
    detailed = [fact for fact in happened.facts if all(each.holds for each in happened.details(fact))]
    if not detailed:
        return list(happened.details(happened.facts[-1]))
    pool = Occasions(tuple(detailed))
    groups = _groups(node, record)
    counted = bool(node.says("counted"))
    if counted and not order and any(span.relation == "now" for spans in groups for span in spans):
        # `Three times, most recently in March 2018`.
        order, node = "last", replace(node, sets={**node.sets, "order": "last"})
        groups = [[span for span in spans if span.relation != "now"] for spans in groups]
    outcomes = [_dated(pool, spans, counted=counted) for spans in groups] or [supported("event", detailed[-1:])]
    return [
        *outcomes,
        *_ordered(pool, order, groups),
        *_counted(node, target, pool, groups, record),
        *_total(node, record),
    ]


def _placed(happened: Occasions, node: Node, record: Record) -> Occasions:
    """Those at a visit of the class that is named."""
    if not node.all("place"):
        return happened
    at = occasions(node.all("place")[0], record).facts
    return Occasions(
        tuple(fact for fact in happened.facts if any(belongs(fact, visit) for visit in at)), happened.details
    )


def _groups(node: Node, record: Record) -> list[list[Span]]:
    """The spans of each day that is named: of a list each by itself, else all together."""
    listed = [day for when in node.all("on") if "days" in when.kinds for day in when.all("when")]
    single = [when for when in (*node.all("on"), *node.all("spell")) if "days" not in when.kinds]
    # `In childhood, in 2007 and 2014`: the time of life is that of each.
    single += [day for day in listed if day.says("time") in _OF_LIFE]
    listed = [day for day in listed if day.says("time") not in _OF_LIFE]
    days = [[each] for each in node.all("first")] + _apart(listed)
    beside = spans_of(single, record) + [_aged(each, record) for each in node.all("age")]
    found = [[*spans_of(day, record), *(beside if listed else ())] for day in days]
    if beside and not listed:
        found.append(beside)
    known = {"on", "between", "now", "after", "before", "since", *(("span",) if node.all("spell") else ())}
    if any(span.relation not in known for spans in found for span in spans):
        raise UnclearError("which day is meant")
    return found


def _apart(listed: Sequence[Node]) -> list[list[Node]]:
    """Times of a list, each by itself; a day and the age at it (in 1984, when he was 42) are one."""
    groups: list[list[Node]] = []
    for day in listed:
        if groups and _is_age(day) != _is_age(groups[-1][-1]):
            groups[-1].append(day)
        else:
            groups.append([day])
    return groups


def _is_age(when: Node) -> bool:
    return "aged" in when.kinds or any(map(_is_age, (*when.all("of"), *when.all("first"))))


def _aged(age: Node, record: Record) -> Span:
    """`At 21 she had ...`."""
    return meaning.aged(age, record)


def _dated(happened: Occasions, spans: Sequence[Span], *, counted: bool = False) -> Outcome:
    """`Since 2020` is from when on it is told, or in which time so many were."""
    fitting = happened.fitting(spans)
    if fitting and (
        counted or not any(span.relation == "since" and not span.includes(happened.days[0]) for span in spans)
    ):
        return supported("date", fitting[-1:])
    days = ", ".join(map(str, happened.days[-3:]))
    return contradicted("date", f"the record has it on {days}" if days else _SAID_NOWHERE, happened.facts[-1:])


def is_in(fact: ClinicalFact, span: Span) -> bool:
    start = facts.starts_on(fact)
    if span.relation == "span":
        return fact.kind == pb.FACT_KIND_MEDICATION and drugs.lasts(fact, span)
    if not span.readings or start is None:
        return span.relation == "now" and start is not None
    if span.lasting and fact.kind == pb.FACT_KIND_MEDICATION:
        return span.is_from_to(start, facts.ends_on(fact))
    first, last = min(each for each, _ in span.readings), max(each for _, each in span.readings)
    beyond = {"after": start > last, "since": start >= first, "before": start < first}
    return beyond.get(span.relation, span.includes(start))


def _ordered(happened: Occasions, order: str, groups: Sequence[Sequence[Span]]) -> list[Outcome]:
    days = happened.days
    if not order or not days:
        return [unsupported("order", "the record does not date it")] if order else []
    match order:
        case "first" | "last":
            day = days[0] if order == "first" else days[-1]
            right = all(_on(day, spans) for spans in groups)
        case "second" | "third":
            place = _PLACES.index(order)
            right = len(days) > place and all(_on(days[place], spans) for spans in groups)
        case "first-last":
            right = _on(days[0], groups[0]) and all(_on(days[-1], spans) for spans in groups[1:])
        case "first-again":
            right = len(groups) > 1 and _on(days[0], groups[0])
        case "again":
            right = any(all(_on(day, spans) for spans in groups[-1:]) and day > days[0] for day in days)
        case _:
            right = len(days) == 1
    told = f"the record has {len(days)}, from {days[0]} to {days[-1]}"
    return [supported("order", happened.facts[-1:]) if right else contradicted("order", told, happened.facts)]


def _on(day: date, spans: Sequence[Span]) -> bool:
    return all(span.includes(day) for span in spans if span.readings)


def _counted(
    node: Node, target: Node | None, happened: Occasions, groups: Sequence[Sequence[Span]], record: Record
) -> list[Outcome]:
    if node.all("times") and node.all("times")[0].says("least"):
        least = int(node.all("times")[0].says("least"))
        within = Occasions(tuple(happened.fitting(groups[0]))) if len(groups) == 1 else happened
        return [_compared(len(within.days) >= least, within)]
    if node.all("bound"):
        within = Occasions(tuple(happened.fitting(groups[0]))) if groups else happened
        return [_compared(_is_beyond(len(within.days), node.all("bound")[0]), within)]
    count = _count(node, target)
    if count is None:
        return []
    listed = len(groups) > 1 and node.says("order") != "first-last"
    if listed:
        beside = spans_of([when for when in node.all("on") if "days" not in when.kinds], record)
        happened = Occasions(tuple(happened.fitting(beside)))
    counted = happened if listed or not groups or node.says("order") else Occasions(tuple(happened.fitting(groups[0])))
    actual = len(counted.days)
    all_listed = all(any(_on(day, spans) for spans in groups) for day in counted.days)
    right = actual == count and (not listed or (len(groups) == count and all_listed))
    return [_compared(right, counted)]


def _is_beyond(actual: int, bound: Node) -> bool:
    """`More than two`, `at least three`."""
    limit = int(meaning.amount(bound).value)
    return {
        "above": actual > limit,
        "below": actual < limit,
        "at-least": actual >= limit,
        "at-most": actual <= limit,
    }[bound.says("compare")]


def _compared(right: bool, counted: Occasions) -> Outcome:  # noqa: FBT001
    told = f"the record has {len(counted.days)}"
    return supported("count", counted.facts) if right else contradicted("count", told, counted.facts)


def _total(node: Node, record: Record) -> list[Outcome]:
    """Of how many visits in all."""
    total = number(node.all("total"))
    if total is None:
        return []
    every = occasions(node.all("of")[0], record).facts
    return [_compared_total(total, every)]


def _compared_total(total: int, every: Sequence[ClinicalFact]) -> Outcome:
    told = f"the record has {len(every)}"
    return supported("count", every) if total == len(every) else contradicted("count", told, every[-1:])


def _count(node: Node, target: Node | None) -> int | None:
    """How often, as is said; None where it is not."""
    if node.all("times"):
        return meaning.count(node.all("times")[0])
    if node.all("frequency"):
        return _once(node.all("frequency")[0])
    return number([*node.all("n"), *(target.all("n") if target is not None else ())])


def _once(frequency: Node) -> int:
    if frequency.says("per") != "once":
        raise UnclearError("how many are meant")
    return 1


def number(numbers: Sequence[Node]) -> int | None:
    """A whole number that is told."""
    if not numbers:
        return None
    said = meaning.amount(numbers[0])
    if said.unit or said.decimals or meaning.is_about(numbers[0]):
        raise UnclearError("how many are meant")
    return int(said.value)


def no_event(node: Node, record: Record) -> list[Outcome]:
    """What is denied. That it never happened no record says; that none is recorded, the whole record does."""
    found: list[Outcome] = []
    for part in node.all("what"):
        for one in each(part):
            present = occasions(one, record).facts
            if present:
                found.append(contradicted("negation", f"the record has {facts.name_of(present[-1])}", present[-1:]))
            elif node.says("searched") and not is_mentioned(one, record):
                found.append(supported("negation"))
            else:
                found.append(unsupported("negation", "nothing in the record denies it"))
    return found


_ORDERS = {
    "all": (pb.FACT_KIND_MEDICATION, pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_IMMUNIZATION),
    "drugs": (pb.FACT_KIND_MEDICATION,),
    "acts": (pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_RESULT),
}


def nothing_ordered(node: Node, record: Record) -> list[Outcome]:
    """That nothing was ordered at the visits of a time."""
    spans = spans_of(node.all("when"), record)
    seen = visits("", record).fitting(spans)
    if not seen or not spans:
        raise UnclearError("which visit is meant")
    kinds = _ORDERS[node.says("of")]
    ordered = [fact for fact in record.whole.of_kind(*kinds) if any(belongs(fact, visit) for visit in seen)]
    if ordered:
        return [contradicted("negation", f"the record has {facts.name_of(ordered[-1])}", ordered[-1:])]
    return [supported("negation", seen[-1:])]


def is_mentioned(one: Node, record: Record) -> bool:
    """Whether any word of the record may speak of it; of a vaccine, a line about vaccines."""
    is_vaccine = any(names.IMMUNIZATION in part.kinds and names.PROCEDURE not in part.kinds for part in one.parts)
    return record.mentions_vaccine(one.text) if is_vaccine else record.mentions(one.text)


def diagnosed_at(at: Sequence[ClinicalFact], node: Node, record: Record) -> list[Outcome]:
    """Whether each problem that is named belongs to one of these visits, by its visit number or its day."""
    if not at:
        return [unsupported("encounter", "the record has no such visit")]
    named = [one for role in ("conditions", "observed", "acts") for part in node.all(role) for one in each(part)]
    return [outcome for one in named for outcome in belonging(at, one, record)]


def belonging(at: Sequence[ClinicalFact], problem: Node, record: Record) -> list[Outcome]:
    """Whether a problem belongs to one of these visits."""
    entries = occasions(problem, record).facts
    pairs = [(visit, fact) for fact in entries for visit in at if is_of(fact, visit, record) or _is_reason(fact, visit)]
    if pairs:
        return [supported("relation", pairs[-1])]
    return [unsupported("relation", "the record does not say what it was for")]


def _is_reason(fact: ClinicalFact, visit: ClinicalFact) -> bool:
    """Whether a visit states as its reason what is the name of a problem."""
    stated = wordings.plain(visit.note).casefold()
    return bool(stated) and stated in {wordings.plain(name).casefold() for name in facts.names(fact)}


def fitting(happened: Occasions, spans: Iterable[Span]) -> list[ClinicalFact]:
    """Occasions that began at that time."""
    return happened.fitting(spans)


def is_of(fact: ClinicalFact, visit: ClinicalFact, record: Record) -> bool:
    """Whether a problem belongs to a visit, or was first seen at it."""
    day = facts.starts_on(visit)
    new = fact.kind == pb.FACT_KIND_PROBLEM and day is not None and problems.is_first_seen(fact, day, record)
    return belongs(fact, visit) or new


def belongs(fact: ClinicalFact, visit: ClinicalFact) -> bool:
    if fact.encounter_id and fact.encounter_id == visit.encounter_id:
        return True
    day, first = facts.starts_on(fact), facts.starts_on(visit)
    return day is not None and first is not None and first <= day <= (facts.ends_on(visit) or first)
