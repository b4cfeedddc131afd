"""Doses: how much, how often, which way and when, as a sentence and as an order say it.

A range is told whole, and each of several doses with its own time.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from longitude.record.v1.fact_pb2 import ClinicalFact, Dosage, Quantity
from terminology import frequencies, units

from grounding import facts
from grounding.comparing import meaning
from grounding.comparing.outcome import Outcome, contradicted, supported
from grounding.reading import tokens
from grounding.reading.grammar import grammar
from grounding.reading.nodes import Node


def compare(regimen: Node, fact: ClinicalFact) -> Outcome:
    """Whether each dose that is told is one of the order's, with its own time."""
    stated = facts.dosages(fact)
    if all(any(_is_told(part, dosage) for dosage in stated) for part in _doses(regimen)):
        return supported("dose", [fact])
    return contradicted("dose", f"the record has {facts.printed_dose(fact)}", [fact])


def _doses(regimen: Node) -> list[list[Node]]:
    """The parts of each dose: commas part them."""
    found: list[list[Node]] = [[]]
    for part in regimen.parts:
        if part.text == ",":
            found.append([])
        else:
            found[-1].append(part)
    return found


def _is_told(parts: Sequence[Node], dosage: Dosage) -> bool:
    values = [meaning.amount(part) for part in parts if "value" in part.kinds]
    often = [how_often(part) for part in parts if "frequency" in part.kinds]
    routes = [part.says("route") for part in parts if "route" in part.kinds]
    times = [part for part in parts if "when" in part.kinds]
    stated = [dosage.dose, *([dosage.dose_high] if dosage.HasField("dose_high") else [])]
    return (
        len(values) == len(stated)
        and all(_is_amount(said, own, values[-1].unit) for said, own in zip(values, stated, strict=True))
        and (not often or often == [how_often_of(dosage.frequency)])
        and (not routes or routes == [route_of(dosage.route)])
        and all(_is_of_time(each, dosage) for each in times)
    )


def _is_amount(amount: tokens.Amount, own: Quantity, unit: str) -> bool:
    value, stated = facts.number(own), units.printed(own.unit)
    wanted = amount.unit or unit or stated
    return value is not None and units.convert(value, stated, wanted) == amount.value


def _is_of_time(when: Node, dosage: Dosage) -> bool:
    """Whether every day that is told is one between which the dose is taken."""
    own = [facts.moment(each).date() for each in (dosage.valid_from, dosage.valid_to) if each.seconds]
    told = [inner.value for inner in _dates(when)]
    return bool(told) and all(any(each.includes(day) for day in own) for each in told)


def _dates(node: Node) -> list[Node]:
    found = [part for part in node.parts if "date" in part.kinds]
    return [*found, *(inner for part in node.parts for inner in _dates(part))]


def how_often(node: Node) -> tuple[float, str]:
    """Times a day, and the time of day; `needed` is as needed, `once` a single dose."""
    if node.says("needed"):
        return (0.0, "needed")
    if node.says("per") == "once":
        return (0.0, "once")
    number = node.one("number")
    if node.says("per") == "interval":
        return (round(1 / meaning.days(node.all("duration")[0]), 4), "")
    times = float(meaning.amount(number).value) if number else float(node.says("times"))
    per = {"day": 1.0, "2days": 2.0, "week": 7.0, "month": 30.0}[node.says("per")]
    return (round(times / per, 4), node.says("at"))


@lru_cache(maxsize=4096)
def how_often_of(text: str) -> tuple[float, str] | None:
    """What a record's own words say."""
    made = grammar().phrases(tokens.tokens(frequencies.spoken(text), date(2000, 1, 1)))
    found = [node for node in made if "frequency" in node.kinds]
    return how_often(found[0]) if len(found) == 1 and len(made) == 1 else None


def per_day(text: str) -> float | None:
    often = how_often_of(text)
    return often[0] if often and often[1] not in ("needed", "once") else None


@lru_cache(maxsize=4096)
def route_of(text: str) -> str:
    made = grammar().phrases(tokens.tokens(text, date(2000, 1, 1)))
    return made[0].says("route") if len(made) == 1 and "route" in made[0].kinds else text.strip().lower()
