"""What is asked of measured values: how an area is, how a value developed, what a drug did to it."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import chain

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.tables import Row

from testkit.questions.chart import Chart, day_of, number, plain
from testkit.questions.draft import Draft, codes_in, gold_of, topic_of, words
from testkit.questions.question import Gold
from testkit.questions.saying import drug_name, of_drug, of_event, of_problem, of_result
from testkit.questions.tables import by_id, rows, several

# Results, problems and drugs of an area that are told.
_RESULTS, _PROBLEMS, _DRUGS = 3, 2, 2
# What is told instead of what it grew from.
_MORE_THAN = {"prediabetes": "diabetes"}
# Values from which one speaks of a course.
_COURSE = 3


def state(chart: Chart) -> Iterator[Draft]:
    """The newest values, the problems with their beginning, what is taken for it now."""
    for area in rows("areas"):
        gold = gold_of(chain(_newest(chart, area), _problems(chart, area), _taken(chart, area)))
        if len(gold) > 1:
            topic = topic_of(area["id"], gold=gold)
            slots = {"thing": words(area)}
            yield Draft(
                "state", "state", slots, gold, topic, codes_in(area["id"]), questions=tuple(several(area["questions"]))
            )


def trend(chart: Chart) -> Iterator[Draft]:
    """The first value, the worst, the last."""
    for row in rows("results"):
        course = chart.course(row["id"])
        if len({day_of(each) for each in course}) >= _COURSE:
            worst = _extreme(course, row["worse"])
            told = [(course[0], "first"), (worst, "extreme"), (course[-1], "last")]
            distinct = {fact.fact_id: (fact, role) for fact, role in told}
            gold = gold_of(of_result(fact, row["id"], role) for fact, role in distinct.values())
            topic = topic_of(row["area"], gold=gold)
            yield Draft("trend", "trend", {"thing": words(row)}, gold, topic, codes_in(row["area"]))


def feedback(chart: Chart) -> Iterator[Draft]:
    """When a drug was started, the last value before that, the last of all."""
    for row in (each for each in rows("classes") if each["effect"]):
        result = by_id("results")[row["effect"]]
        for name, orders in chart.drugs(row["drugs"]).items():
            gold = _before_and_after(chart, orders, result["id"])
            if gold:
                slots = {"drug": [name], "thing": words(result)}
                topic = topic_of(row["area"], gold=gold, more=[drug_name(orders[0])])
                yield Draft("medication feedback", "feedback", slots, gold, topic, codes_in(row["area"]))


def _before_and_after(chart: Chart, orders: Sequence[ClinicalFact], result: str) -> tuple[Gold, ...]:
    start, course = day_of(orders[0]), chart.course(result)
    before = [each for each in course if day_of(each) <= start]
    after = [each for each in course if day_of(each) > start]
    if not before or not after:
        return ()
    began = of_event(orders[0], drug_name(orders[0]), "first ordered", "medication")
    return gold_of([began, of_result(before[-1], result, "before"), of_result(after[-1], result, "last")])


def _extreme(course: Sequence[ClinicalFact], worse: str) -> ClinicalFact:
    """The highest or the lowest; where both are bad, what is farthest from the first."""
    values = [number(each) or Decimal(0) for each in course]
    far = {"high": values, "low": [-each for each in values], "both": [abs(each - values[0]) for each in values]}[worse]
    return course[far.index(max(far))]


def _newest(chart: Chart, area: Row) -> Iterator[Gold]:
    newest = ((result, chart.newest(result)) for result in several(area["results"]))
    measured = [of_result(fact, result, "last") for result, fact in newest if fact]
    yield from measured[:_RESULTS]


def _problems(chart: Chart, area: Row) -> Iterator[Gold | None]:
    """Those that last; of what comes and goes, the last time."""
    for problem in _present(chart, area)[:_PROBLEMS]:
        yield of_problem(chart, problem)


def _present(chart: Chart, area: Row) -> list[str]:
    known = by_id("problems")
    there = [
        each
        for each in several(area["problems"])
        if any(known[each]["event"] or chart.is_open(entry) for entry in chart.problem(each))
    ]
    return [each for each in there if _MORE_THAN.get(each) not in there]


def _taken(chart: Chart, area: Row) -> Iterator[Gold]:
    patterns = [by_id("classes")[each]["drugs"] for each in several(area["classes"])]
    taken = {name: orders for pattern in patterns for name, orders in chart.drugs(pattern).items()}
    current = [orders for name, orders in taken.items() if name in chart.in_force]
    current.sort(key=lambda orders: day_of(orders[-1]), reverse=True)
    yield from map(of_drug, current[:_DRUGS])


def summary(chart: Chart) -> Iterator[Draft]:
    """What one would write to a colleague: since when, what was done, what is taken, the newest values."""
    for area in rows("areas"):
        problems = list(_problems(chart, area))
        done = chart.matching(pb.FACT_KIND_PROCEDURE, area["procedures"]) if area["procedures"] else []
        last = {plain(each): each for each in done}
        events = [of_event(each, _naming(each), "last", "procedure") for each in list(last.values())[:_PROBLEMS]]
        gold = gold_of([*problems, *events, *_taken(chart, area), *_newest(chart, area)])
        if problems and len(gold) > _COURSE:
            slots = {"thing": _called(chart, area), "specialist": [area["specialist"]]}
            topic = topic_of(area["id"], gold=gold)
            yield Draft("summary for referral", "summary", slots, gold, topic, codes_in(area["id"]))


def _called(chart: Chart, area: Row) -> list[str]:
    """The names of its first problem."""
    return [word for problem in _present(chart, area)[:1] for word in words(by_id("problems")[problem])]


def _naming(fact: ClinicalFact) -> str:
    """How a procedure is named: by its row, else by its own words."""
    known = (row["name"] for row in rows("procedures"))
    return next((each for each in known if _names(each, fact)), plain(fact))


def _names(pattern: str, fact: ClinicalFact) -> bool:
    return bool(re.search(pattern, plain(fact), re.IGNORECASE))
