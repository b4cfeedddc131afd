"""Fields of laboratory pages."""

from datetime import UTC, datetime

import pytest
from imaging.domain.page import Line, Page
from imaging.domain.page_fields import Field, collected_at, printed_identifiers, read_fields, same_identifier


def page_of(*rows: tuple[str, ...], score: float = 0.99) -> Page:
    """Each row's cells stand in columns 300 pixels apart, rows 40 pixels apart."""
    lines = []
    for y, row in enumerate(rows):
        for x, text in enumerate(row):
            left, top = 300.0 * x, 40.0 * y
            corners = ((left, top), (left + 280, top), (left + 280, top + 26), (left, top + 26))
            lines.append(Line(text, score, corners))
    return Page(1, 1200, 40 * len(rows) + 10, tuple(lines))


def only(*row: str) -> Field | None:
    fields = read_fields(page_of(row))
    assert len(fields) <= 1
    return fields[0] if fields else None


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("Creatinine", "1.68", "mg/dL"), ("Creatinine", "", "1.68", "mg/dL", "")),
        (("Creatinine", "121", "umol/L", "49 - 90"), ("Creatinine", "", "121", "umol/L", "49 - 90")),
        (("Creatinine", "121", "H", "µmol/L", "49-90"), ("Creatinine", "", "121", "umol/L", "49-90")),
        (("Creatinine  121 H  umol/L  (49 - 90)",), ("Creatinine", "", "121", "umol/L", "49 - 90")),
        (("Potassium", "5.0mmol/L"), ("Potassium", "", "5.0", "mmol/L", "")),
        (("Hemoglobin A1c", "6.1", "%"), ("Hemoglobin A1c", "", "6.1", "%", "")),
        (("25-OH Vitamin D 3", "62", "nmol/L"), ("25-OH Vitamin D 3", "", "62", "nmol/L", "")),
        (("Widgets", "62", "foo/L"), ("Widgets", "", "62", "", "")),
        (("Creatinine", "1.68", "mgldL"), ("Creatinine", "", "1.68", "mg/dL", "")),
        (("HbA1c", "55"), ("HbA1c", "", "55", "", "")),
        (("CRP", "<5", "mg/L", "< 5"), ("CRP", "<", "5", "mg/L", "< 5")),
        (("eGFR", "38", "mL/min/1.73 m2"), ("eGFR", "", "38", "mL/min/{1.73_m2}", "")),
        (("Creatinine", "1,68", "mg/dL"), ("Creatinine", "", "1.68", "mg/dL", "")),
        (("Platelets", "1,234", "10*3/uL"), ("Platelets", "", "", "10*3/uL", "")),
        (
            ("Leukocytes [#/volume] in Blood", "6.06", "10*3/uL"),
            ("Leukocytes [#/volume] in Blood", "", "6.06", "10*3/uL", ""),
        ),
    ],
)
def test_a_row_is_name_value_unit_and_reference(row: tuple[str, ...], expected: tuple[str, ...]) -> None:
    field = only(*row)
    assert field is not None
    assert (field.name, field.comparator, field.value, field.unit, field.reference) == expected


@pytest.mark.parametrize(
    "row",
    [
        ("Analyte", "Result", "Unit", "Reference"),
        ("Validated by: Dr. A. Example",),
        ("Date of birth: 1957-04-18",),
        ("Page 1 of 2",),
        ("121", "umol/L"),
        ("Naproxen 220 MG Oral Tablet",),
        ("Metformin", "500", "ells"),
        ("Printed without signature.",),
    ],
)
def test_other_rows_are_no_results(row: tuple[str, ...]) -> None:
    assert only(*row) is None


def test_the_confidence_is_that_of_the_weakest_line_used() -> None:
    lines = page_of(("Potassium", "5.0", "mmol/L")).lines
    weak = Line(lines[1].text, 0.61, lines[1].corners)
    (field,) = read_fields(Page(1, 1200, 60, (lines[0], weak, lines[2])))
    assert field.confidence == pytest.approx(0.61)


def test_a_field_knows_its_place() -> None:
    (field,) = read_fields(page_of(("Report",), ("Potassium", "5.0", "mmol/L")))
    assert field.page == 1
    assert field.box == pytest.approx((0.0, 40 / 90, 880 / 1200, 26 / 90))


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("MRN: 5CB023ED", "5CB023ED"),
        ("Patient ID: NW-204417", "NW-204417"),
        ("Patient: 88-1306", "88-1306"),
        ("Patient No. 88-1306", "88-1306"),
        ("Hospital number: A123456", "A123456"),
    ],
)
def test_a_printed_identifier_is_found(text: str, identifier: str) -> None:
    assert printed_identifiers(read_fields(page_of((text,)))) == {identifier}


@pytest.mark.parametrize("text", ["Patient: Renée Testperson", "Patient notes follow", "Report no. 12"])
def test_a_name_is_no_identifier(text: str) -> None:
    assert printed_identifiers(read_fields(page_of((text,)))) == set()


@pytest.mark.parametrize(
    ("printed", "identifier", "same"),
    [
        ("88-1306", "88-1306", True),
        ("88 1306", "88-1306", True),
        ("NW-2O44l7", "NW-204417", True),
        ("nw-204417", "NW-204417", True),
        ("88-1308", "88-1306", False),
        ("38-1306", "88-1306", False),
        ("88-13067", "88-1306", False),
    ],
)
def test_identifiers_are_equal_up_to_letters_taken_for_digits(printed: str, identifier: str, *, same: bool) -> None:
    assert same_identifier(printed, identifier) is same


@pytest.mark.parametrize(
    "text", ["Collected: 2025-07-08 07:45", "Sample taken 08.07.2025 07:45", "Collection date: 8 Jul 2025 07:45"]
)
def test_the_collection_time_is_found(text: str) -> None:
    assert collected_at(read_fields(page_of((text,))), UTC) == datetime(2025, 7, 8, 7, 45, tzinfo=UTC)


def test_two_collection_times_are_none() -> None:
    fields = read_fields(page_of(("Collected: 2025-07-08",), ("Collected: 2025-07-09",)))
    assert collected_at(fields, UTC) is None
