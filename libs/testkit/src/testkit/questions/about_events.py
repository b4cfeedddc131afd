"""What is asked of what was done and happened: first and last, vaccines, screening, what never was, what is new."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.tables import Row

from testkit.questions.chart import Chart, day_of, end_of, names, plain, problem_of
from testkit.questions.draft import MOST, Draft, codes_in, gold_of, spoken, topic_of, words
from testkit.questions.question import Gold
from testkit.questions.saying import KINDS, drug_name, none_of, of_event, of_problem, of_stopped
from testkit.questions.tables import rows, several

# Where in the visits of a record a question about what is new may begin, the latest first, and how much is new then.
_PARTS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
_SOME = 2
# Of no weight to a colleague who asks what is new: papers, teaching, teeth, forms, social findings, trifles.
_SLIGHT = re.compile(
    r"reconciliation|documentation|education|guidance|assessment|screening for (?:drug|domestic)|depression screening|"
    r"dental|gingiv|tooth|teeth|plaque|caries|molars|fluoride|review|consultation|referral|\bcare\b|employ|labor force|"
    r"stress|social|contact|housing|refugee|criminal|violence|abuse (?:in|part)|partner|risk activity|living alone|"
    r"sinusitis|pharyngitis|sore throat|sprain|laceration|examination|history|interview|discharge|admission|monitoring|"
    r"culture|an[ae]+sthesia|cannul|intubat|\(finding\)|\(situation\)|\(person\)|normal pregnancy",
    re.IGNORECASE,
)


def when(chart: Chart) -> Iterator[Draft]:
    """First and last of what was done or came more than once; the day of what was once; since when a problem is."""
    for row in rows("procedures"):
        yield from _first_and_last(row, chart.matching(pb.FACT_KIND_PROCEDURE, row["name"]), "procedure")
    for row in rows("problems"):
        entries = chart.problem(row["id"])
        if row["event"]:
            yield from _first_and_last(row, entries, "problem")
        elif entries:
            gold = gold_of([of_problem(chart, row["id"])])
            yield _asked_when("when.onset", row, gold)


def _first_and_last(row: Row, entries: Sequence[ClinicalFact], kind: str) -> Iterator[Draft]:
    days = {day_of(each) for each in entries}
    if len(days) == 1:
        yield _asked_when("when.last", row, (of_event(entries[-1], row["name"], "on", kind),))
    elif days:
        first = of_event(entries[0], row["name"], "first", kind)
        last = of_event(entries[-1], row["name"], "last", kind)
        yield _asked_when("when.both", row, (last, first))
        yield _asked_when("when.last", row, (last,))


def _asked_when(asked: str, row: Row, gold: tuple[Gold, ...]) -> Draft:
    topic = topic_of(row["area"], gold=gold, more=[row["name"]])
    return Draft("when first/last", asked, {"thing": words(row)}, gold, topic, codes_in(row["area"]))


def absence(chart: Chart) -> Iterator[Draft]:
    """That what is asked for was never done or measured."""
    coded = {code for fact in chart.facts for code in _codes(fact)}
    for row in rows("procedures"):
        if row["sex"] in ("", chart.sex) and not chart.matching(pb.FACT_KIND_PROCEDURE, row["name"]):
            yield _absent("absence", row)
    for row in rows("results"):
        if row["sex"] in ("", chart.sex) and coded.isdisjoint(several(row["codes"])):
            yield _absent("absence.result", row)


def _absent(asked: str, row: Row) -> Draft:
    gold = none_of(f"no {row['id']} recorded", spoken(row))
    topic = topic_of(row["area"], more=[spoken(row)])
    return Draft("absence", asked, {"thing": words(row)}, (gold,), topic, codes_in(row["area"]))


def immunisation(chart: Chart) -> Iterator[Draft]:
    """The last dose of a vaccine, or that there is none; two of them in one question."""
    golds = [(row, _last_dose(chart, row)) for row in rows("vaccines")]
    for row, gold in golds:
        slots = {"thing": words(row), "disease": several(row["diseases"])}
        yield _vaccines("immunisation", slots, (gold,), [row])
    there = [(row, gold) for row, gold in golds if gold.day]
    for (one, first), (other, second) in combinations(there, 2):
        slots = {"disease": several(one["diseases"]), "other": several(other["diseases"])}
        yield _vaccines("immunisation.two", slots, (first, second), [one, other])


def _last_dose(chart: Chart, row: Row) -> Gold:
    codes = several(row["codes"])
    doses = [each for each in chart.of_kind(pb.FACT_KIND_IMMUNIZATION) if each.code.code in codes]
    if doses:
        return of_event(doses[-1], row["name"], "last dose", "immunization")
    return none_of(f"no {row['id']} vaccination recorded", spoken(row, *several(row["diseases"])))


def _vaccines(asked: str, slots: dict[str, list[str]], gold: tuple[Gold, ...], vaccines: Sequence[Row]) -> Draft:
    topic = topic_of(more=[*(spoken(row, *several(row["diseases"])) for row in vaccines), "vaccin|immuni[sz]"])
    codes = frozenset(code for row in vaccines for code in several(row["codes"]))
    return Draft("immunisation", asked, slots, gold, topic, codes)


def screening(chart: Chart) -> Iterator[Draft]:
    """Of each that fits age and sex: when it was done last, or that it was not; and all of them."""
    fitting = [row for row in rows("screenings") if _fits(chart, row)]
    golds = [(row, _screened(chart, row)) for row in fitting]
    for row, gold in golds:
        slots = {"thing": words(row), "disease": several(row["diseases"])}
        found = [of_problem(chart, each) for each in several(row["problems"])]
        yield _of_screening("screening", slots, gold_of([gold, *found[:1]]), [row])
    if len(golds) > 1:
        yield _of_screening("screening.all", {}, gold_of(gold for _, gold in golds), fitting)


def _fits(chart: Chart, row: Row) -> bool:
    return int(row["from"]) <= chart.age_on(chart.today) < int(row["to"]) and row["sex"] in ("", chart.sex)


def _screened(chart: Chart, row: Row) -> Gold:
    done = chart.matching(pb.FACT_KIND_PROCEDURE, row["name"])
    if done:
        return of_event(done[-1], row["name"], "last", "procedure")
    return none_of(f"no {row['id']} screening recorded", spoken(row, *several(row["diseases"])))


def _of_screening(asked: str, slots: dict[str, list[str]], gold: tuple[Gold, ...], screenings: Sequence[Row]) -> Draft:
    called = [spoken(row, *several(row["diseases"])) for row in screenings]
    return Draft("screening", asked, slots, gold, topic_of(gold=gold, more=[*called, "screen"]))


def change(chart: Chart) -> Iterator[Draft]:
    """New problems, drugs, operations and what was stopped since a visit, where it is some and can all be said."""
    visits = sorted({day_of(each) for each in chart.of_kind(pb.FACT_KIND_ENCOUNTER)})
    days = dict.fromkeys(visits[int(part * len(visits))] for part in _PARTS if visits)
    for day in days:
        gold = tuple(dict.fromkeys(_news(chart, day)))
        if _SOME <= len(gold) <= MOST:
            codes = _codes_first_after(chart, day)
            slots = {"day": [day, f"{date.fromisoformat(day):%d %B %Y}".lstrip("0")]}
            yield Draft("change", "change", slots, gold, topic_of(gold=gold), codes)


def _codes_first_after(chart: Chart, day: str) -> frozenset[str]:
    """What was there before is not new, however new the entry; what is slight is no news."""
    before = {
        code for fact in chart.facts if day_of(fact) <= day or _SLIGHT.search(names(fact)) for code in _codes(fact)
    }
    return frozenset(code for fact in chart.facts for code in _codes(fact) if code not in before)


def _news(chart: Chart, day: str) -> Iterator[Gold]:
    """What is there for the first time after a day, and drugs whose last order ended after it."""
    for name, entries in _firsts(chart).items():
        kind, first = entries[0].kind, entries[0]
        if day_of(first) > day and not _SLIGHT.search(names(first)):
            yield of_event(first, _called(first), "new", KINDS[kind])
        elif kind == pb.FACT_KIND_MEDICATION and name[1] not in chart.in_force and end_of(entries[-1]) > day:
            yield of_stopped(entries)


def _firsts(chart: Chart) -> dict[tuple[int, str], list[ClinicalFact]]:
    """The entries of each thing that began, was done or was given."""
    groups: dict[tuple[int, str], list[ClinicalFact]] = {}
    for fact in chart.facts:
        if fact.kind in (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_MEDICATION, pb.FACT_KIND_PROCEDURE) and day_of(fact):
            groups.setdefault((fact.kind, plain(fact)), []).append(fact)
    return groups


def _called(fact: ClinicalFact) -> str:
    if fact.kind == pb.FACT_KIND_MEDICATION:
        return drug_name(fact)
    problem = problem_of(fact) if fact.kind == pb.FACT_KIND_PROBLEM else None
    return problem["name"] if problem else re.escape(plain(fact))


def _codes(fact: ClinicalFact) -> tuple[str, ...]:
    return tuple(filter(None, (fact.code.code, fact.source_code.code)))
