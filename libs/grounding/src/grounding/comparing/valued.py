"""A problem beside the values that make it: `Hyperkalemia (K 5.6)`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from terminology.loinc import HAEMOGLOBIN, PLATELETS, POTASSIUM, SODIUM

from grounding import facts
from grounding import keys as keys_of
from grounding.comparing import levels, meaning, problems, results, series
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Point, Record
from grounding.comparing.results import Compared, compared_readings
from grounding.derived import Derived
from grounding.formula import age_in_years
from grounding.reading import names
from grounding.reading.nodes import Node

_ADULT = 20
# How far from a value a problem may be noted that it shows.
_ABOUT = timedelta(31)
# The problems of which G and A are categories.
_STAGED = {"G": ("ckd",), "A": ("ckd", "proteinuria", "albuminuria")}
_NO_CLASS = "no class of body mass follows from it"
# Conditions that are the name of a level of one result.
_SIZES = {"colon-polyp": "polyp-size-greatest-dimension-by-cap-cancer-protocols"}
_LEVELS_OF = {
    "hyperkalemia": ((POTASSIUM, "high"),),
    "hypokalemia": ((POTASSIUM, "low"),),
    "hyponatremia": ((SODIUM, "low"),),
    "anemia": ((HAEMOGLOBIN, "low"),),
    "thrombocytopenia": ((PLATELETS, "low"),),
}


def valued_condition(node: Node, record: Record) -> list[Outcome]:
    """`Hyperkalemia (K 5.6)`: the value, and a recorded problem or the level of the value that the name tells."""
    if node.all("value"):
        return _named(node, record)
    compared = compared_readings(node, record)
    outcomes = [outcome for _, _, each in compared for outcome in each]
    if not all(each.holds for each in outcomes):
        return outcomes
    families = [_family(one) for one in problems.conditions(node)] or [node.says("family")]
    levelled = [_levelled(each, compared) for each in families]
    if levelled and all(levelled):
        return [*outcomes, *(each for each in levelled if each)]
    if node.says("family"):
        return [*outcomes, unsupported("level", "whether it is so is not told by flag or reference range")]
    if any(_is_level(one) for one in problems.conditions(node)) and not _noted_with(node, compared, record):
        return [*outcomes, unsupported("level", "the record does not have the problem at that time")]
    return [*outcomes, *problems.problem(node, record)]


def _is_level(condition: Node) -> bool:
    """Whether a condition is the name of a level of some result."""
    keys = problems.problem_keys(condition)
    return any(names.of_family(family) in keys for family in _LEVELS_OF)


def _noted_with(node: Node, compared: Sequence[Compared], record: Record) -> bool:
    """Whether each problem was noted at about the time of one of the values."""
    days = [point.day for _, points, _ in compared for point in points]
    return all(
        any((start := facts.starts_on(fact)) and abs(day - start) <= _ABOUT for day in days for fact in entries)
        for one in problems.conditions(node)
        for entries in [problems.present(one, record)]
    )


def body_mass(node: Node, record: Record) -> list[Outcome]:
    """`With a BMI of 29.8 she is overweight`: by the classes of the World Health Organization for adults."""
    compared = compared_readings(node, record)
    outcomes = [outcome for _, _, each in compared for outcome in each]
    if not all(each.holds for each in outcomes):
        return outcomes
    if len(compared) > 1:
        return [unsupported("level", _NO_CLASS)]
    return [*outcomes, *in_class(node, compared[-1][1], record)]


def in_class(node: Node, points: Sequence[Point], record: Record) -> list[Outcome]:
    """Whether the last of these lies in the class of body mass that is named."""
    if {_family(one) for one in problems.conditions(node)} - {node.says("family")}:
        return [unsupported("level", _NO_CLASS)]
    if not points or not _is_body_mass(points[-1]) or not _is_adult(points[-1], record):
        return [unsupported("level", _NO_CLASS)]
    if Decimal(node.says("from")) <= points[-1].value < Decimal(node.says("below")):
        return [supported("level", points[-1].facts)]
    return [contradicted("level", f"the record has {series.told(points[-1])}", points[-1].facts)]


def _is_body_mass(point: Point) -> bool:
    return point.unit in ("kg/m2", "kg/m²")


def _is_adult(point: Point, record: Record) -> bool:
    born = record.born[0]
    return born is not None and age_in_years(born, point.day) >= _ADULT


def staged(node: Node, record: Record) -> list[Outcome]:
    """A category of KDIGO with the value behind it, by the calculator."""
    wanted = node.all("stage")[0].text.upper()
    if any(_plain_name(one) not in _STAGED[wanted[0]] for one in problems.conditions(node)):
        return [unsupported("stage", "it is no category of this problem")]
    computed = [each for each in record.derived if each.label and each.label[0].upper() == wanted[0]]
    spans = series.spans_of(node.all("when"), record)
    of_time = [each for each in computed if all(span.includes(each.day) for span in spans if span.readings)]
    values = results.measured(node, record) if list(node.within("result")) else _of_stage(node, of_time)
    if not of_time:
        return [*values, unsupported("stage", "no such category follows from the record")]
    newest = max(each.day for each in of_time)
    last = [each for each in of_time if each.day == newest]
    used = [record.sources.fact(each) for each in last[0].fact_ids]
    if wanted in {each.label.upper() for each in last}:
        return [*values, supported("stage", used)]
    return [*values, contradicted("stage", f"the category of {newest} is {last[0].label}", used)]


def _of_stage(node: Node, computed: Sequence[Derived]) -> list[Outcome]:
    """A value in brackets without its name is the one of the category."""
    found: list[Outcome] = []
    for value in node.all("value"):
        said = meaning.amount(value)
        right = any(said.value == each.value and said.unit in ("", each.unit) for each in computed)
        found.append(supported("value") if right else unsupported("value", "the category has another value"))
    return found


def _named(node: Node, record: Record) -> list[Outcome]:
    """`High potassium of 5.6`: the name tells the result and its level."""
    sized = {each for one in problems.conditions(node) for each in _families_of(one, record) & _SIZES.keys()}
    if sized:
        measured = replace(node, roles={**node.roles, "obs": (names.measured(_SIZES[sized.pop()]),)})
        return [*results.measured(measured, record), *problems.problem(node, record)]
    known = [each for one in problems.conditions(node) for each in _LEVELS_OF.get(_family(one), ())]
    spans = series.spans_of(node.all("when"), record)
    for observable, wanted in known:
        points = record.points(frozenset({keys_of.of_loinc(observable)}))
        if points:
            chosen = series.within(points, spans, record) if spans else series.newest(points)
            agreeing = series.saying(node.all("value")[0], chosen)
            said = meaning.amount(node.all("value")[0])
            wrong = series.disagreement(said, chosen) if chosen else series.other_day(points, said)
            return [levels.worst_level(wanted, agreeing)] if agreeing else [wrong]
    return [unsupported("value", "which result the value is of is not told")]


def _families_of(condition: Node, record: Record) -> frozenset[str]:
    """The families of a condition, and of the entries that it names."""
    own = frozenset[str]().union(*map(names.keys_of, problems.present(condition, record)))
    return frozenset(names.families_among(problems.problem_keys(condition) | own))


def _levelled(family: str, compared: Sequence[Compared]) -> Outcome | None:
    """What the level of a value says of a condition that is the name of this level; None where it is no such name."""
    for observable, wanted in _LEVELS_OF.get(family, ()):
        for _, points, _ in compared:
            of_it = [point for point in points if keys_of.of_loinc(observable) in facts.keys(point.facts[0])]
            if of_it and levels.level_of(of_it[-1]):
                return levels.worst_level(wanted, of_it)
    return None


def _plain_name(condition: Node) -> str:
    """The family, or the narrower name of one part of it (albuminuria)."""
    narrow = [key for key in problems.problem_keys(condition) if key.startswith("name|")]
    return narrow[0].removeprefix("name|") if len(narrow) == 1 else _family(condition)


def _family(condition: Node) -> str:
    named = [key for key in problems.problem_keys(condition) if key.startswith("family|")]
    return named[0].removeprefix("family|") if len(named) == 1 else ""
