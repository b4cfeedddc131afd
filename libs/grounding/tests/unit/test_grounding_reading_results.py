"""True sentences about a course of results are supported in many wordings; with anything changed they are not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from hypothesis import given, settings
from hypothesis import strategies as st
from practice.records import RecordBuilder

TODAY = datetime(2026, 10, 7, tzinfo=UTC)
# The first sentence compiles the grammar.
untimed = settings(deadline=None, max_examples=60)
RANGE: dict[str, Any] = {"reference_range": {"low": "3.5", "high": "5.1"}}


@dataclass(frozen=True)
class Course:
    """Potassium on three days, each other in value, and a sodium of the last day."""

    values: tuple[Decimal, ...]
    days: tuple[date, ...]

    @property
    def record(self) -> Record:
        made = RecordBuilder()
        made.born("1957-04-18")
        for value, day in zip(self.values, self.days, strict=True):
            made.result("2823-3", "Potassium", str(value), "mmol/L", str(day), **RANGE)
        made.result("2951-2", "Sodium", "139", "mmol/L", str(self.days[-1]))
        made.problem("38341003", "Hypertensive disorder", "2020-01-01")
        sources = Sources.of(TODAY, made.facts, identifiers=[made.patient])
        return Record(sources, sources.current)


def potassium() -> st.SearchStrategy[Decimal]:
    """Potassium, mmol/L, with its tenth also where that is 0: 7.0, since 7 also says 6.7 rounded."""
    return st.integers(21, 79).map(lambda tenths: Decimal(tenths).scaleb(-1))


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """Values that lie so far apart that none is another one rounded, on days of different years."""
    values = draw(st.lists(potassium(), min_size=3, max_size=3, unique=True))
    days = [date(year, draw(st.integers(1, 12)), draw(st.integers(1, 28))) for year in (2022, 2023, 2024)]
    return Course(tuple(values), tuple(days))


def verdict(course: Course, text: str) -> Verdict:
    return worst(claims(text, course.record))


def spelled(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


OF_A_DAY = (
    "Potassium was {value} mmol/L on {day}.",
    "On {day}, potassium was {value} mmol/L.",
    "Potassium ({day}): {value} mmol/L.",
    "K {value} on {iso}.",
    "{day}: K {value}.",
    "Potassium on {day} was {value} mmol/L.",
    "Potassium | {value} mmol/L | {iso}",
    "| Potassium | {value} mmol/L | {iso} |",
    "A potassium of {value} mmol/L was measured on {day}.",
    "Potassium {value} mmol/L ({iso})",
    "Serum potassium was {value} mmol/L on {day}.",
)


@untimed
@given(courses(), st.sampled_from(OF_A_DAY), st.integers(0, 2))
def test_a_value_of_a_day_is_supported_in_each_wording(course: Course, wording: str, at: int) -> None:
    day = course.days[at]
    text = wording.format(value=course.values[at], day=spelled(day), iso=day)
    assert verdict(course, text) is Verdict.SUPPORTED, text


@untimed
@given(courses(), st.sampled_from(OF_A_DAY), st.integers(0, 2), potassium())
def test_another_value_of_a_day_is_not_supported(course: Course, wording: str, at: int, other: Decimal) -> None:
    day = course.days[at]
    text = wording.format(value=other, day=spelled(day), iso=day)
    assert (verdict(course, text) is Verdict.SUPPORTED) == (other == course.values[at]), text


@untimed
@given(courses(), st.sampled_from(OF_A_DAY), st.integers(0, 2), st.integers(-400, 400).filter(bool))
def test_a_value_of_another_day_is_not_supported(course: Course, wording: str, at: int, off: int) -> None:
    day = course.days[at] + timedelta(off)
    if day in course.days:
        return
    text = wording.format(value=course.values[at], day=spelled(day), iso=day)
    assert verdict(course, text) is not Verdict.SUPPORTED, text


SERIES = (
    "Potassium {0} → {1} → {2} mmol/L.",
    "K {0} -> {1} -> {2}.",
    "Potassium was {0} on {a}, {1} on {b} and {2} mmol/L on {c}.",
    "Potassium {0} in {x}, {1} in {y} and {2} in {z}.",
    "Potassium {0} ({x}) → {1} ({y}) → {2} mmol/L ({z}).",
)


@untimed
@given(courses(), st.sampled_from(SERIES), st.permutations((0, 1, 2)))
def test_a_series_is_supported_in_its_own_order_only(course: Course, wording: str, order: list[int]) -> None:
    days = {name: spelled(day) for name, day in zip("abc", course.days, strict=True)}
    years = {name: day.year for name, day in zip("xyz", course.days, strict=True)}
    text = wording.format(*(course.values[at] for at in order), **days, **years)
    assert (verdict(course, text) is Verdict.SUPPORTED) == (order == [0, 1, 2]), text


SUPERLATIVES: dict[str, Callable[[tuple[Decimal, ...]], Decimal]] = {
    "Her highest potassium was {0} mmol/L.": max,
    "The highest potassium, {0} mmol/L, was measured on {day}.": max,
    "Potassium was {0} mmol/L on {day}, the highest on record.": max,
    "The potassium of {0} mmol/L is the highest on record.": max,
    "The lowest potassium on record is {0} mmol/L ({day}).": min,
    "Potassium {0} on {day}, her lowest so far.": min,
    "The latest potassium is {0} mmol/L.": lambda values: values[-1],
    "The first recorded potassium was {0} mmol/L on {day}.": lambda values: values[0],
    "Potassium is {0} mmol/L.": lambda values: values[-1],
    "Potassium most recently {0} mmol/L.": lambda values: values[-1],
}


@untimed
@given(courses(), st.sampled_from(sorted(SUPERLATIVES)), st.integers(0, 2))
def test_a_superlative_is_supported_of_its_value_only(course: Course, wording: str, at: int) -> None:
    text = wording.format(course.values[at], day=spelled(course.days[at]))
    right = course.values[at] == SUPERLATIVES[wording](course.values)
    assert (verdict(course, text) is Verdict.SUPPORTED) == right, text


@untimed
@given(courses(), st.sampled_from(("rose", "fell", "increased", "dropped", "went up", "came down")))
def test_a_direction_is_supported_only_as_it_went(course: Course, verb: str) -> None:
    first, last = course.values[0], course.values[-1]
    text = f"Potassium {verb} from {first} mmol/L in {course.days[0].year} to {last} mmol/L in {course.days[-1].year}."
    rises = verb in ("rose", "increased", "went up")
    assert (verdict(course, text) is Verdict.SUPPORTED) == (rises == (last > first)), text


@untimed
@given(courses())
def test_steadily_is_supported_only_where_no_step_goes_back(course: Course) -> None:
    first, between, last = course.values
    verb = "risen" if last > first else "fallen"
    text = f"Potassium has {verb} steadily from {first} to {last} mmol/L."
    steady = first < between < last or first > between > last
    assert (verdict(course, text) is Verdict.SUPPORTED) == steady, text


@untimed
@given(courses(), potassium())
def test_a_bound_holds_over_the_whole_course(course: Course, bound: Decimal) -> None:
    text = f"Her potassium has never been above {bound} mmol/L."
    assert (verdict(course, text) is Verdict.SUPPORTED) == (max(course.values) <= bound), text
    text = f"Potassium is below {bound} mmol/L."
    assert (verdict(course, text) is Verdict.SUPPORTED) == (course.values[-1] < bound), text


@untimed
@given(courses(), st.sampled_from(("high", "low", "normal", "elevated", "within normal limits", "reduced")))
def test_a_level_is_that_of_the_reference_range(course: Course, word: str) -> None:
    value = course.values[-1]
    level = "high" if value > Decimal("5.1") else "low" if value < Decimal("3.5") else "normal"
    means = {"elevated": "high", "reduced": "low", "within normal limits": "normal"}.get(word, word)
    for text in (f"Potassium is {word}.", f"A potassium of {value} mmol/L is {word}.", f"K {value}, which is {word}."):
        assert (verdict(course, text) is Verdict.SUPPORTED) == (means == level), text


@untimed
@given(courses(), st.integers(1, 9))
def test_a_count_is_that_of_the_record(course: Course, number: int) -> None:
    words = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")[number - 1]
    for text in (f"The record holds {words} potassium values.", f"Potassium was measured {number} times."):
        assert (verdict(course, text) is Verdict.SUPPORTED) == (number == 3), text


@untimed
@given(courses(), st.sampled_from(("higher", "lower")))
def test_a_comparison_of_two_times_is_supported_only_as_it_is(course: Course, word: str) -> None:
    first, _, last = course.values
    text = f"Potassium was {word} in {course.days[-1].year} ({last}) than in {course.days[0].year} ({first})."
    assert (verdict(course, text) is Verdict.SUPPORTED) == ((word == "higher") == (last > first)), text


@untimed
@given(courses(), st.sampled_from(("sodium", "hypertension", "metformin", "hyperkalemia", "probably", "creatinine")))
def test_no_word_of_another_concept_goes_unnoticed(course: Course, word: str) -> None:
    last, day = course.values[-1], spelled(course.days[-1])
    words = f"Potassium was {last} mmol/L on {day}".split()
    for place in range(len(words) + 1):
        text = " ".join((*words[:place], word, *words[place:]))
        if word == "hypertension" and place in (0, len(words)):
            continue
        assert verdict(course, text) is not Verdict.SUPPORTED, text


@untimed
@given(courses(), st.sampled_from(("mg/dL", "%", "g/L", "kg")))
def test_another_unit_is_not_supported(course: Course, unit: str) -> None:
    assert verdict(course, f"Potassium is {course.values[-1]} {unit}.") is not Verdict.SUPPORTED


@untimed
@given(courses())
def test_a_day_behind_several_values_is_the_day_of_each(course: Course) -> None:
    first, _, last = course.values
    day = spelled(course.days[-1])
    assert verdict(course, f"Sodium 139 mmol/L and potassium {last} mmol/L on {day}.") is Verdict.SUPPORTED
    assert verdict(course, f"Potassium {first} mmol/L, sodium 139 mmol/L on {day}.") is not Verdict.SUPPORTED


@untimed
@given(st.integers(90, 180), st.integers(40, 85), st.integers(1, 9), st.integers(-9, 9).filter(bool))
def test_a_pressure_is_rounded_to_whole_numbers(systolic: int, diastolic: int, tenth: int, off: int) -> None:
    made = RecordBuilder()
    for code, name, value in (("8480-6", "Systolic", systolic), ("8462-4", "Diastolic", diastolic)):
        exact = Decimal(value) + Decimal(tenth if tenth < 5 else tenth - 10) / 10
        made.result(code, f"{name} blood pressure", str(exact), "mm[Hg]", "2025-05-23")
    sources = Sources.of(TODAY, made.facts, identifiers=[made.patient])
    record = Record(sources, sources.current)
    assert worst(claims(f"BP {systolic}/{diastolic} mmHg on 23 May 2025.", record)) is Verdict.SUPPORTED
    for pair in (f"{systolic + off}/{diastolic}", f"{systolic}/{diastolic + off}"):
        assert worst(claims(f"BP {pair} mmHg on 23 May 2025.", record)) is not Verdict.SUPPORTED, pair


@pytest.mark.parametrize("text", ["Troponin was never measured.", "No troponin on record."])
def test_absence_is_supported_only_where_nothing_is_recorded(text: str) -> None:
    course = Course(
        (Decimal("4.1"), Decimal("4.5"), Decimal("5.6")), (date(2022, 1, 2), date(2023, 1, 2), date(2024, 1, 2))
    )
    assert verdict(course, text) is Verdict.SUPPORTED
    assert (
        verdict(course, text.replace("Troponin", "Potassium").replace("troponin", "potassium")) is Verdict.CONTRADICTED
    )
