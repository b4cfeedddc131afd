"""What HL7 itself defines is read as it defines it: tables of the protocol, numbers, times."""

from datetime import UTC, datetime

import pytest
from ingestion.domain.message_type import triggers
from ingestion.domain.numbers import decimal_of, ucum
from ingestion.domain.protocol import table
from ingestion.domain.timestamps import parse_date, parse_timestamp


@pytest.mark.parametrize("name", ["charsets", "message_types", "segments", "designations", "observation_states"])
def test_every_table_has_its_cells(name: str) -> None:
    rows = table(name)
    assert rows
    optional = {"default", "prefix", "answers"}
    assert all(value for row in rows.values() for column, value in row.items() if column not in optional)


def test_every_character_set_can_be_read() -> None:
    for row in table("charsets").values():
        "x".encode(row["codec"])


@pytest.mark.parametrize(
    ("sent", "unit"), [("mmHg", "mm[Hg]"), ("µmol/l", "umol/L"), (" furlongs ", "furlongs"), ("", "")]
)
def test_a_unit_that_nobody_knows_stays_as_sent(sent: str, unit: str) -> None:
    assert ucum(sent) == unit


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.40", "1.40"), ("+2", "2"), ("-3.5", "-3.5"), (".5", "0.5"), ("7.", "7"), ("", None), ("1,5", None),
     ("1e5", None), ("NaN", None), ("--1", None), ("9" * 31, None)],
)  # fmt: skip
def test_numbers_are_those_of_hl7(text: str, number: str | None) -> None:
    assert decimal_of(text) == number


def test_ranges_of_trigger_events_are_spelled_out() -> None:
    assert {"A01", "A40", "A62"} <= triggers("ADT")
    assert "A63" not in triggers("ADT")
    assert triggers("PGL") == {"PC6", "PC7", "PC8"}
    assert triggers("PPP") == {"PCB", "PCC", "PCD"}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024", "2024-01-01T00:00:00+00:00"),
        ("202402", "2024-02-01T00:00:00+00:00"),
        ("20240229", "2024-02-29T00:00:00+00:00"),
        ("202402291530", "2024-02-29T15:30:00+00:00"),
        ("20240229153045.1234-0500", "2024-02-29T15:30:45.123400-05:00"),
        ("20240229+0100", "2024-02-29T00:00:00+01:00"),
        ("202402290000+0000", "2024-02-29T00:00:00+00:00"),
        ("20240229153045Z", "2024-02-29T15:30:45+00:00"),
        ("2024-02", "2024-02-01T00:00:00+00:00"),
        ("2024-02-29", "2024-02-29T00:00:00+00:00"),
        ("2024-02-29 15:30", "2024-02-29T15:30:00+00:00"),
        ("2024-02-29T15:30:45.5+01:00", "2024-02-29T15:30:45.500000+01:00"),
        ("2024-02-29T15:30:45Z", "2024-02-29T15:30:45+00:00"),
    ],
)
def test_timestamps_of_any_precision_and_offset_are_read(text: str, moment: str) -> None:
    parsed = parse_timestamp(text, UTC)
    assert parsed == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "20240230",
        "20241301",
        "00010101",
        "99991231",
        "2024-02-30",
        "29/02/2024",
        "2024-02-29T3:30pm",
        "20240101+9900",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_timestamp(text, UTC) is None


@pytest.mark.parametrize(
    ("text", "date"), [("1964", "1964"), ("196405", "1964-05"), ("19640502101500", "1964-05-02"), ("x", "")]
)
def test_dates_keep_their_precision(text: str, date: str) -> None:
    assert parse_date(text) == date
