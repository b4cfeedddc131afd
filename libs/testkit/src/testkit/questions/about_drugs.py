"""What is asked of drugs: what is taken, allergies, what speaks against one, what is wrongly taken for granted."""

import re
from collections.abc import Iterator

from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.tables import Row

from testkit.questions.chart import Chart, day_of
from testkit.questions.draft import MOST, Draft, codes_in, gold_of, spoken, topic_of, words
from testkit.questions.question import Falsehood, Gold
from testkit.questions.saying import (
    drug_name,
    none_of,
    of_allergy,
    of_drug,
    of_problem,
    of_result,
    of_stopped,
    word_pattern,
)
from testkit.questions.tables import by_id, rows, several

Orders = list[ClinicalFact]
# What is to be known before an operation and before most drugs; pollen and dust are not.
_THINGS = re.compile(r"latex|egg|nut|shellfish|venom|milk|wheat|soya?|fish")
_HARMLESS = re.compile(r"pollen|dander|dust|mite|mou?ld|grass|disposition")
_ANY_ALLERGY = r"allerg"
_NONE_AT_ALL = r"\bno (?:known )?allerg"
_DRUG_ALLERGY = r"(?:drug|medicine|medication)[^.]*allerg|allerg[^.]*(?:drug|medicine|medication)"
# Named in a question although the patient is not allergic to it.
_UNSUSPECTED = ("penicillin", "aspirin", "sulfonamides", "codeine")


def reconciliation(chart: Chart) -> Iterator[Draft]:
    """Of a group: what is taken and since when, for what; where nothing is, what was stopped."""
    for row in rows("classes"):
        drugs, safety = chart.drugs(row["drugs"]), bool(row["safety"])
        current = [orders for name, orders in drugs.items() if name in chart.in_force]
        stopped = [orders for name, orders in drugs.items() if name not in chart.in_force]
        told = [of_drug(orders, safety=safety) for orders in _newest_first(current)]
        ended = [of_stopped(orders, safety=False) for orders in _newest_first(stopped)[:2]]
        reasons = [of_problem(chart, each) for each in several(row["problems"])] if told else []
        gold = gold_of([*told, *(reasons[:1] if told else ended)])
        if gold:
            asked = "reconciliation" if told else "reconciliation.ended"
            topic = topic_of(row["area"], gold=gold, more=[row["drugs"]])
            yield Draft("medication reconciliation", asked, {"thing": words(row)}, gold, topic, codes_in(row["area"]))
    yield from _all_taken(chart)


def _all_taken(chart: Chart) -> Iterator[Draft]:
    """Only where all of it can be said."""
    if 1 < len(chart.in_force) <= MOST:
        gold = gold_of(of_drug(orders) for orders in _newest_first(list(chart.in_force.values())))
        names = [drug_name(orders[-1]) for orders in chart.orders.values()]
        yield Draft("medication reconciliation", "reconciliation.all", {}, gold, topic_of(gold=gold, more=names))


def allergy(chart: Chart) -> Iterator[Draft]:
    """All of them, or that there is none; and of a drug, whether there is one to it."""
    told = [of_allergy(each, safety=_is_dangerous(each.code.display)) for each in chart.allergies]
    told.sort(key=lambda gold: not gold.safety)
    gold = gold_of(told or [none_of("no allergy recorded", _ANY_ALLERGY)])
    yield Draft("allergy", "allergy.any", {}, gold, topic_of(gold=gold, more=[_ANY_ALLERGY]))
    for each in chart.allergies:
        name = each.code.display.casefold()
        entry = of_allergy(each, safety=_is_dangerous(name))
        asked = "allergy.drug" if _is_drug(name) else "allergy.thing"
        yield Draft("allergy", asked, {"drug": [name]}, (entry,), topic_of(gold=[entry], more=[_ANY_ALLERGY]))
    yield from _no_allergy(chart)


def _no_allergy(chart: Chart) -> Iterator[Draft]:
    known = " ".join(each.code.display.casefold() for each in chart.allergies)
    for drug in _UNSUSPECTED:
        pattern = word_pattern(drug.removesuffix("s"))
        if not re.search(pattern, known):
            gold = none_of(f"no allergy to {drug} recorded", _ANY_ALLERGY, rf"{pattern}|{_DRUG_ALLERGY}|{_NONE_AT_ALL}")
            topic = topic_of(more=[_ANY_ALLERGY, pattern])
            yield Draft("allergy", "allergy.drug", {"drug": [drug]}, (gold,), topic)


def suitability(chart: Chart) -> Iterator[Draft]:
    """The allergy first, then what is taken beside it, problems, values; where there is no such allergy, that."""
    for row in rows("considered"):
        against = [of_allergy(each) for each in chart.allergies if _hits(row["allergies"], each.code.display)]
        beside = [of_drug(orders, safety=True) for orders in _beside(chart, row)]
        problems = [of_problem(chart, each, safety=bool(against)) for each in several(row["problems"])]
        newest = [(each, chart.newest(each)) for each in several(row["results"])]
        values = [of_result(fact, each, "last") for each, fact in newest if fact]
        quiet = [] if against else [none_of("no allergy to it recorded", r"allerg")]
        gold = gold_of([*against, *beside[:3], *problems, *values[:2], *quiet])
        if len(gold) > 1 or against:
            topic = topic_of(gold=gold, more=[_ANY_ALLERGY, row["name"]])
            yield Draft("suitability", "suitability", {"drug": words(row)}, gold, topic, _codes(row))


def _codes(row: Row) -> frozenset[str]:
    """Of the results that are looked at."""
    results = (by_id("results")[each] for each in several(row["results"]))
    return frozenset(code for result in results for code in several(result["codes"]))


def premise(chart: Chart) -> Iterator[Draft]:
    """That the drug is not there, and that the problem is not, which the question takes for granted."""
    for row in rows("premises"):
        problem = by_id("problems")[row["problem"]]
        if not chart.drugs(row["name"]):
            reason = of_problem(chart, row["problem"]) or none_of(f"no {problem['id']} recorded", spoken(problem))
            for asked, gold in (("premise", (_not_taken(row),)), ("premise.problem", (_not_taken(row), reason))):
                slots = {"drug": words(row), "problem": words(problem)}
                topic = topic_of(problem["area"], gold=gold, more=[spoken(row), spoken(problem)])
                yield Draft("false premise", asked, slots, gold, topic, must_not=(_in_use(row),))


def _not_taken(row: Row) -> Gold:
    return none_of(f"no {row['id']} recorded", spoken(row))


def _in_use(row: Row) -> Falsehood:
    """The drug told as taken."""
    taken = rf"\b(?:{row['name']})\b[^.;]*\b(?:active|ordered on|daily)\b"
    return Falsehood(f"{row['id']} in use", taken, unless=r"\b(?:no|not|never|inactive|ended|stopped)\b")


def _beside(chart: Chart, row: Row) -> list[Orders]:
    others = {name: orders for name, orders in chart.drugs(row["beside"]).items() if name in chart.in_force}
    return _newest_first([orders for name, orders in others.items() if not _hits(row["name"], name)])


def _newest_first(drugs: list[Orders]) -> list[Orders]:
    return sorted(drugs, key=lambda orders: day_of(orders[-1]), reverse=True)


def _hits(pattern: str, name: str) -> bool:
    return bool(pattern) and bool(re.search(pattern, name, re.IGNORECASE))


def _is_dangerous(name: str) -> bool:
    return not _HARMLESS.search(name.casefold())


def _is_drug(name: str) -> bool:
    return _is_dangerous(name) and not _THINGS.search(name.casefold())
