"""Sentences, dates and numbers of a text, each with its characters."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from grounding.reading import dates, tokens
from grounding.reading.tokens import Amount, Pair
from grounding.spans import sentences
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 10, 7)


@given(st.text(max_size=300))
def test_spans_are_in_order_and_exact_for_any_text(text: str) -> None:
    spans = sentences(text)
    assert all(span.of(text).strip() == span.of(text) != "" for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    kept = sum(len(span.of(text)) for span in spans)
    assert kept + sum(character.isspace() for character in text) >= len(text)


def test_decimal_points_abbreviations_and_quotations_end_no_sentence() -> None:
    text = "Creatinine was 1.95 mg/dL vs. 0.92 mg/dL before. The label says “Stop. Ask first.” (FDA). Done"
    assert [span.of(text) for span in sentences(text)] == [
        "Creatinine was 1.95 mg/dL vs. 0.92 mg/dL before.",
        "The label says “Stop. Ask first.” (FDA).",
        "Done",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-05",
        "20261005",
        "5 October 2026",
        "Oct 5, 2026",
        "5th Oct. 2026",
        "05.10.2026",
        "10/05/2026",
        "October 2026",
        "2026-10",
        "2026",
    ],
)
def test_a_day_is_found_however_it_is_written(text: str) -> None:
    (seen,) = dates.find(f"seen on {text}.", TODAY)
    assert (seen.start, seen.end) == (8, 8 + len(text))
    assert seen.includes(date(2026, 10, 5))


@pytest.mark.parametrize("text", ["2026-13-05", "99.5 mg", "1995 mg", "G4", "12345678"])
def test_what_is_no_date_is_not_taken_for_one(text: str) -> None:
    assert not list(dates.find(text, TODAY))


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1.95 mg/dL", "1.95", "mg/dL"),
        ("1,95 mg/dl", "1.95", "mg/dL"),
        ("1,200 mg", "1200", "mg"),
        ("30 mL/min/1.73 m2", "30", "mL/min/1.73 m2"),
        ("by -15.3 mL/min/1.73 m2 per year", "-15.3", "mL/min/1.73 m2 per year"),
        ("five hundred mg", "500", "mg"),
        ("7.1%", "7.1", "%"),
        ("six point five mmol/L", "6.5", "mmol/L"),
    ],
)
def test_a_number_is_read_with_its_unit(text: str, value: str, unit: str) -> None:
    amounts = [each.value for each in tokens.tokens(text, TODAY) if isinstance(each.value, Amount)]
    assert amounts == [Amount(Decimal(value), unit)]


@pytest.mark.parametrize("text", ["10^9/L", "５.３ mmol/L", "⁵.⁶ mmol/L", "1.000,5 mg"])
def test_what_can_be_read_in_more_than_one_way_is_no_number(text: str) -> None:
    assert not [each for each in tokens.tokens(text, TODAY) if isinstance(each.value, Amount) and each.value.unit]


def test_a_blood_pressure_is_a_pair() -> None:
    (pressure,) = tokens.tokens("142/88 mmHg", TODAY)
    assert pressure.value == Pair(Decimal(142), Decimal(88))
