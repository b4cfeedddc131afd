"""What is said of a group of entries: its days, its state, its course with the turning points that matter."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from grounding import Sources, Statement, facts, phrases
from grounding.kinds import allergy, latest, problem, trend
from grounding.reading import names
from grounding.statements import Count, Day, Name, Part, Value, Words, join
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from consult.answering import pressures

# Families of problems that happen on a day and do not go on.
EVENTS = (
    "myocardial-infarction", "acute-coronary-syndrome", "stroke", "tia", "cardiac-arrest", "pulmonary-embolism",
    "overdose",
    "fracture", "hip-fracture", "injury", "miscarriage", "ectopic-pregnancy", "anaphylaxis", "sepsis", "falls",
)  # fmt: skip
# A statement in the ways in which it can be said, the fullest first.
Ways = tuple[Statement, ...]
# Days of a thing that are all told, and of a circumstance; beyond them the first and the last.
MOST_DAYS, FEW_DAYS = 6, 2
# What surveys ask about somebody's life.
SOCIAL = names.of_family("social-circumstance")
_DONE = {pb.FACT_KIND_PROCEDURE: " was done", pb.FACT_KIND_IMMUNIZATION: " was given"}
# Values of a course that are told: of what the question names, and of what stands beside it.
MOST_POINTS, FEW_POINTS = 6, 4
# Values from which on one of them is the highest.
_SEVERAL = 3
# Changes of an answer in words that are told, the newest.
MOST_CHANGES = 2


def say(
    entries: Sequence[ClinicalFact],
    sources: Sources,
    keep: Sequence[date] = (),
    *,
    whole: bool = False,
    count: bool = False,
) -> Ways:
    """What may be said of them, the fullest first; none where nothing can be said. `keep`: days whose values of a
    course are told in any case; `whole`: more of the values between; `count`: how often.
    """
    match entries[-1].kind:
        case pb.FACT_KIND_RESULT:
            most = MOST_POINTS if whole else FEW_POINTS
            return (*_pressures(entries, sources, keep, most), _results(entries, keep, most), _newest(entries))
        case pb.FACT_KIND_MEDICATION:
            newest = [each for each in entries if _is_one_order(each, _standing(entries, sources))]
            ways = (_orders(entries, sources), _orders(newest, sources), newest_order(entries, sources))
            return (*ways, _orders(entries, sources, dose=False))
        case pb.FACT_KIND_PROBLEM:
            return (*(_times(entries) if count else ()), _problem(entries, sources))
        case pb.FACT_KIND_PROCEDURE | pb.FACT_KIND_IMMUNIZATION:
            return (*_counted(entries, 1 if count else MOST_DAYS), events(entries))
        case pb.FACT_KIND_ALLERGY:
            return (allergy.statement(sources, entries[-1].fact_id),)
        case _:
            return ()


def allergies(entries: Sequence[ClinicalFact]) -> Statement:
    """`Allergies: latex, egg and mould.`"""
    allergens = [(Name(each.fact_id),) for each in entries]
    return Statement(wire.STATEMENT_KIND_ALLERGY, (Words("Allergies: "), *_listed(allergens)))


def newest_values(entries: Sequence[ClinicalFact]) -> Statement:
    """`Potassium was 4.0 mmol/L on 2026-11-13, eGFR 108 mL/min on 2026-11-13.`"""
    first, *others = entries
    beside = [(Name(each.fact_id), Words(" "), Value(each.fact_id, rounded=True), *phrases.on(each)) for each in others]
    return Statement(wire.STATEMENT_KIND_LATEST, join(" and ", [latest.measured(first, rounded=True), *beside]))


def _orders(entries: Sequence[ClinicalFact], sources: Sources, *, dose: bool = True) -> Statement:
    """`Sertraline 100 mg: first ordered on 1969-09-15, last on 2006-06-04, not renewed since.`"""
    newest = _standing(entries, sources)
    same = [each for each in entries if facts.starts_on(each)]
    oldest = same[0] if same else newest
    again = facts.starts_on(oldest) != facts.starts_on(newest)
    last: tuple[Part, ...] = (Words(", last on "), Day(newest.fact_id)) if again else ()
    told = (Words(": first ordered on " if again else ": ordered on "), Day(oldest.fact_id), *last)
    if facts.has_ended(newest, sources.today) and not facts.is_on_hold(newest) and facts.starts_on(newest):
        told = (*told, Words(", stopped"), *phrases.ended_on(newest))
    elif again and facts.is_open_order(newest):
        told = (*told, Words(", not renewed since"))
    else:
        return newest_order(entries, sources)
    return Statement(wire.STATEMENT_KIND_MEDICATION, (*drug(entries, newest, dose=dose), *told))


def newest_order(entries: Sequence[ClinicalFact], sources: Sources) -> Statement:
    """`Sertraline 100 mg: ordered on 2006-06-04, not renewed since.`"""
    newest = _standing(entries, sources)
    state = (Words(": "), *phrases.medication_state(sources, newest))
    return Statement(wire.STATEMENT_KIND_MEDICATION, (*drug(entries, newest), *state))


def _standing(entries: Sequence[ClinicalFact], sources: Sources) -> ClinicalFact:
    """The newest that is not over, else the newest."""
    return ([each for each in entries if not facts.has_ended(each, sources.today)] or list(entries))[-1]


def drug(
    entries: Sequence[ClinicalFact], newest: ClinicalFact, *, capital: bool = True, dose: bool = True
) -> tuple[Part, ...]:
    """The drug as it was ordered, all of a combination, with its dose."""
    ordered = [each for each in entries if _is_one_order(each, newest)]
    parts = list({facts.name_of(each): each for each in ordered}.values())
    first, *others = parts
    named = ((Name(first.fact_id, capital=capital),), *((Name(each.fact_id),) for each in others))
    return (*join(" / ", named), *(phrases.dose(newest) if dose else ()))


def _is_one_order(one: ClinicalFact, other: ClinicalFact) -> bool:
    return one.source_code == other.source_code and facts.starts_on(one) == facts.starts_on(other)


def _problem(entries: Sequence[ClinicalFact], sources: Sources) -> Statement:
    """`Overdose on 1991-04-28, 1997-10-07 and 2000-05-14.`, else the state of the one."""
    days = _by_day(entries)
    going_on = [each for each in days if not facts.has_ended(each, sources.today)]
    named = (Name(days[-1].fact_id, capital=True),)
    if facts.is_family_history(days[-1]) or not facts.starts_on(days[-1]):
        return problem.statement(sources, days[-1].fact_id)
    if going_on:
        since = Words(" on " if _is_event(going_on[0]) else " since ")
        again = (Words(" and again on "), Day(going_on[-1].fact_id)) if len(going_on) > 1 else ()
        return Statement(wire.STATEMENT_KIND_PROBLEM, (*named, since, Day(going_on[0].fact_id), *again))
    end = facts.ends_on(days[0])
    if len(days) > 1 or end is None or end == facts.starts_on(days[0]):
        most = FEW_DAYS if SOCIAL in names.keys_of(days[-1]) else MOST_DAYS
        return Statement(wire.STATEMENT_KIND_PROBLEM, (*named, *on_days(days, most)))
    lasted = (Words(" from "), Day(days[0].fact_id), Words(" to "), Day(days[0].fact_id, end=True))
    return Statement(wire.STATEMENT_KIND_PROBLEM, (*named, *lasted))


def _is_event(fact: ClinicalFact) -> bool:
    """Whether it happened, and does not go on, whatever the record says of its end."""
    return not names.keys_of(fact).isdisjoint(names.of_families(EVENTS))


def events(entries: Sequence[ClinicalFact]) -> Statement:
    """`Colonoscopy was done on 2013-04-03 and 2014-04-28.`; of many the first and the last."""
    days = _by_day(entries)
    lead = (Words(_DONE[entries[-1].kind]),) if len(days) <= MOST_DAYS else ()
    return Statement(wire.STATEMENT_KIND_EVENT, (Name(days[-1].fact_id, capital=True), *lead, *on_days(days)))


def _counted(entries: Sequence[ClinicalFact], beyond: int) -> Ways:
    """`Colonoscopy was done 7 times, first on 1996-06-05 and last on 2022-11-28.`, of more days than `beyond`."""
    days = _by_day(entries)
    if len(days) <= beyond:
        return ()
    done = Words(f"{_DONE[entries[-1].kind]} ")
    named = (Name(days[-1].fact_id, capital=True), done, Count(_ids(days)), Words(" times"))
    return (Statement(wire.STATEMENT_KIND_EVENT, (*named, *_first_to_last(days)), _ids(days)),)


def _times(entries: Sequence[ClinicalFact]) -> Ways:
    """`Overdose 15 times, first on 1996-01-26 and last on 2024-12-11.`"""
    days = _by_day(entries)
    if len(days) < 2:
        return ()
    named = (Name(days[-1].fact_id, capital=True), Words(" "), Count(_ids(days)), Words(" times"))
    return (Statement(wire.STATEMENT_KIND_PROBLEM, (*named, *_first_to_last(days)), _ids(days)),)


def _first_to_last(days: Sequence[ClinicalFact]) -> tuple[Part, ...]:
    """The days where they are few, else the first and the last."""
    if len(days) <= MOST_DAYS:
        return (Words(", on "), *_listed([(Day(each.fact_id),) for each in days]))
    return (Words(", first on "), Day(days[0].fact_id), Words(" and last on "), Day(days[-1].fact_id))


def _ids(entries: Sequence[ClinicalFact]) -> tuple[str, ...]:
    return tuple(each.fact_id for each in entries)


def on_days(days: Sequence[ClinicalFact], most: int = MOST_DAYS) -> tuple[Part, ...]:
    """` on a, b and c`; of many the first and the last."""
    if len(days) <= most:
        return (Words(" on "), *_listed([(Day(each.fact_id),) for each in days]))
    return (Words(": first on "), Day(days[0].fact_id), Words(", last on "), Day(days[-1].fact_id))


def _by_day(entries: Sequence[ClinicalFact]) -> list[ClinicalFact]:
    """One entry per day, those of no day left out unless there is no other."""
    dated = {facts.starts_on(each): each for each in entries if facts.starts_on(each)}
    return list(dated.values()) or [entries[-1]]


def _results(entries: Sequence[ClinicalFact], keep: Sequence[date], most: int) -> Statement:
    numbers = trend.in_one_unit([each for each in entries if each.HasField("quantity") and facts.starts_on(each)])
    numbers = [each for each in numbers if facts.number(each.quantity) is not None]
    if len(numbers) < 2:
        return (
            _answers(entries)
            if not numbers
            else Statement(wire.STATEMENT_KIND_LATEST, latest.measured(numbers[-1], rounded=True))
        )
    points = turning_points(numbers, keep, most)
    first, last = points[0], points[-1]
    if facts.starts_on(first) == facts.starts_on(last):
        both = (
            Value(first.fact_id, rounded=True),
            Words(" and "),
            Value(last.fact_id, rounded=True),
            *phrases.on(last),
        )
        return Statement(wire.STATEMENT_KIND_LATEST, (Name(last.fact_id, capital=True), Words(" was "), *both))
    return Statement(wire.STATEMENT_KIND_TREND, trend.told(points, points[1:-1], last, rounded=True))


def _pressures(entries: Sequence[ClinicalFact], sources: Sources, keep: Sequence[date], most: int) -> Ways:
    """A course of blood pressures as pairs."""
    numbers = [each for each in entries if pressures.is_systolic(each) and facts.number(each.quantity) is not None]
    dated = [each for each in numbers if facts.starts_on(each)]
    told = pressures.course(turning_points(dated, keep, most), sources) if dated else None
    return (told,) if told else ()


def _answers(entries: Sequence[ClinicalFact]) -> Statement:
    """`Smoking status was “Smokes tobacco daily” on 1993-02-23; smoking status was Ex-smoker on 1994-02-08.`"""
    dated = [each for each in entries if facts.starts_on(each)] or list(entries[-1:])
    changes = [
        each for before, each in zip((None, *dated), dated, strict=False) if before is None or _differ(before, each)
    ]
    told = [*changes[-MOST_CHANGES:], dated[-1]] if len(changes) > 1 else dated[-1:]
    told = list({each.fact_id: each for each in told}.values())
    return Statement(wire.STATEMENT_KIND_LATEST, join("; ", [latest.measured(each, rounded=True) for each in told]))


def _newest(entries: Sequence[ClinicalFact]) -> Statement:
    return Statement(wire.STATEMENT_KIND_LATEST, latest.measured(entries[-1], rounded=True))


def _differ(one: ClinicalFact, other: ClinicalFact) -> bool:
    return (one.text, one.coded.code, one.quantity.value) != (other.text, other.coded.code, other.quantity.value)


def turning_points(numbers: Sequence[ClinicalFact], keep: Sequence[date], most: int) -> list[ClinicalFact]:
    """The last, the first, those of days that are to be told, the highest and the lowest, and the newest."""
    since = [each for each in numbers if not keep or (facts.starts_on(each) or keep[0]) >= keep[0]] or numbers
    highest, lowest = max(reversed(since), key=_number), min(reversed(since), key=_number)
    previous = [each for each in numbers if facts.starts_on(each) != facts.starts_on(numbers[-1])][-1:]
    around = [each for day in keep for each in _around(numbers, day)]
    # Since a drug was given, how far it went says more than the value before the last.
    extremes = [highest, lowest]
    between = [*around, *extremes, *previous] if keep else [*previous, *extremes]
    wanted = [numbers[-1], numbers[0], *between]
    # Of a course that is asked for, those before the last say more than those between.
    wanted += reversed(numbers) if most > FEW_POINTS else ()
    chosen = list({(facts.starts_on(each), each.quantity.value): each for each in wanted}.values())[:most]
    return sorted(chosen, key=facts.in_time)


def extremes(entries: Sequence[ClinicalFact], *, highest: bool, lowest: bool) -> list[Ways]:
    """`The highest HbA1c was 6.6% on 2005-05-14.`, and the lowest."""
    numbers = trend.in_one_unit([each for each in entries if each.HasField("quantity") and facts.starts_on(each)])
    numbers = [each for each in numbers if facts.number(each.quantity) is not None]
    if len(numbers) < _SEVERAL:
        return []
    ends = ([("highest", max(reversed(numbers), key=_number))] if highest else []) + (
        [("lowest", min(reversed(numbers), key=_number))] if lowest else []
    )
    return [(_extreme(word, fact),) for word, fact in ends]


def _extreme(word: str, fact: ClinicalFact) -> Statement:
    named = (Words(f"The {word} "), Name(fact.fact_id), Words(" was "), Value(fact.fact_id, rounded=True))
    return Statement(wire.STATEMENT_KIND_LATEST, (*named, *phrases.on(fact)))


def _around(numbers: Sequence[ClinicalFact], day: date) -> list[ClinicalFact]:
    """The last value before a day, and the first on it or behind."""
    before = [each for each in numbers if (facts.starts_on(each) or day) < day]
    behind = [each for each in numbers if (facts.starts_on(each) or day) >= day]
    return [*before[-1:], *behind[:1]]


def _number(fact: ClinicalFact) -> Decimal:
    value = facts.number(fact.quantity)
    assert value is not None
    return value


def _listed(groups: Sequence[tuple[Part, ...]]) -> tuple[Part, ...]:
    """`a, b and c`."""
    if len(groups) < 2:
        return join(", ", groups)
    return (*join(", ", groups[:-1]), Words(" and "), *groups[-1])
