"""What an operator says of a feed is checked whole, holds for it alone, and is as if the sender had said it."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingestion.domain.feed import FeedRules
from ingestion.domain.feed_file import FeedFileError, parse
from ingestion.domain.reading import Feed, read
from longitude.record.v1 import fact_pb2 as pb

ARRIVED = datetime(2024, 3, 1, 12, tzinfo=UTC)
FILE = """
["*"]
zone = "America/New_York"
authority = "REGION"
placeholders = ["unknown-er"]

[NORTH]
zone = "Europe/Vienna"
record_types = ["MR"]
patient_classes = {AMB = "O"}
numbers_restart = true

[NORTH.local_codes]
X7714 = "LN 2160-0"
"""


def facts(feed: Feed, facility: str, *segments: str) -> list[pb.ClinicalFact]:
    header = f"MSH|^~\\&|LAB|{facility}|||20240301120000||ORU^R01|M1|P|2.5.1"
    return read("\r".join([header, "PID|1||1^^^A^MR", *segments, ""]).encode(), ARRIVED, feed).content.facts


def result(feed: Feed, facility: str, identifier: str, unit: str = "mg/dL") -> pb.ClinicalFact:
    (fact,) = facts(feed, facility, "OBR|1||F1|P^Panel^L|||202403011000", f"OBX|1|NM|{identifier}||1.4|{unit}|||||F")
    return fact


def test_a_table_replaces_what_it_says_and_inherits_the_rest() -> None:
    feed = parse(FILE, "feeds.toml")
    north, other = feed.rules("NORTH"), feed.rules("SOUTH")
    assert (str(north.zone), str(other.zone)) == ("Europe/Vienna", "America/New_York")
    assert north.authority == other.authority == "REGION"
    assert north.placeholders == other.placeholders == FeedRules().placeholders | {"UNKNOWN-ER"}
    assert north.record_types == frozenset({"MR"})
    assert other.record_types == FeedRules().record_types
    assert (north.patient_classes, other.patient_classes) == ({"AMB": "O"}, {})
    assert (north.numbers_restart, other.numbers_restart) == (True, False)
    assert set(north.local_codes) == {"X7714"}
    assert not other.local_codes


def test_an_empty_file_says_nothing() -> None:
    assert parse("", "feeds.toml") == Feed()


def test_the_file_that_comes_with_the_product_is_right() -> None:
    file = Path(__file__).parents[4] / "deploy/feeds.toml"
    feed = parse(file.read_text(encoding="utf-8"), str(file))
    assert not feed.facilities
    assert str(feed.default.zone) == "UTC"
    assert replace(feed.default, zone=UTC) == FeedRules()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[NORTH]\nzone = "Middle/Earth"', "NORTH.zone: must be a time zone"),
        ('[NORTH]\nzones = "UTC"', "NORTH.zones: Extra inputs"),
        ('["*"]\nauthority = ""', "*.authority: String should have"),
        ('[NORTH]\nrecord_types = ["XYZ"]', "NORTH.record_types.0: must be an identifier type"),
        ('[NORTH]\npatient_classes = {AMB = "Q"}', "NORTH.patient_classes.AMB: must be a patient class"),
        ('[NORTH]\nlocal_codes = {K = "2160-0"}', "NORTH.local_codes.K: must be a system and a code"),
        ('[NORTH]\nlocal_codes = {K = "LN 0000-0"}', "NORTH.local_codes.K: is no code"),
        ('[NORTH]\nnumbers_restart = "often"', "NORTH.numbers_restart: Input should be a valid boolean"),
        ('zone = "UTC"', "zone: Input should be"),
        ("[NORTH", "Expected ']'"),
    ],
)
def test_a_wrong_file_is_refused_with_file_table_and_key(text: str, place: str) -> None:
    with pytest.raises(FeedFileError) as error:
        parse(text, "etc/feeds.toml")
    assert str(error.value).startswith("etc/feeds.toml: ")
    assert place in str(error.value)


@given(st.text())
def test_any_text_is_a_feed_or_refused(text: str) -> None:
    with suppress(FeedFileError):
        assert isinstance(parse(text, "feeds.toml"), Feed)


def test_a_local_code_is_read_as_if_the_sender_had_sent_the_standard_one_beside_it() -> None:
    feed = parse(FILE, "feeds.toml")
    by_feed = result(feed, "NORTH", "X7714^Hausanalyt^L")
    by_sender = result(Feed(), "NORTH", "X7714^Hausanalyt^L^2160-0^^LN")
    assert (by_feed.code.system, by_feed.code.code) == ("http://loinc.org", "2160-0")
    assert (by_feed.code, by_feed.quantity, by_feed.identity) == (
        by_sender.code,
        by_sender.quantity,
        by_sender.identity,
    )
    assert by_feed.source_code.code == "X7714"


@pytest.mark.parametrize(
    ("facility", "identifier"),
    [
        ("SOUTH", "X7714^Hausanalyt^L"),
        ("NORTH", "X7715^Hausanalyt^L"),
        ("NORTH", "X7714^Bericht^SCT"),
    ],
)
def test_it_is_the_code_of_that_feed_alone_and_no_code_of_a_public_system(facility: str, identifier: str) -> None:
    assert result(parse(FILE, "feeds.toml"), facility, identifier).code.system != "http://loinc.org"


def test_a_standard_code_that_the_sender_gives_stands_before_it() -> None:
    fact = result(parse(FILE, "feeds.toml"), "NORTH", "X7714^Kalium^L^2823-3^Potassium^LN", "mmol/L")
    assert fact.code.code == "2823-3"


@pytest.mark.parametrize(
    ("code", "segments", "expected"),
    [
        ("RXNORM 6809", ["ORC|NW|P1", "RXE|1^BID|HAUS7^Hauspraeparat^L|500||mg"], ("rxnorm", "6809")),
        ("SCT 38341003", ["DG1|1||HAUS7^Hausdiagnose^L"], ("sct", "38341003")),
    ],
)
def test_drugs_and_diagnoses_have_local_codes_too(code: str, segments: list[str], expected: tuple[str, str]) -> None:
    feed = parse(f'[NORTH]\nlocal_codes = {{HAUS7 = "{code}"}}', "feeds.toml")
    kind = {"RXE": "RDE^O11", "DG1": "ADT^A01"}[segments[-1][:3]]
    header = f"MSH|^~\\&|X|NORTH|||20240301120000||{kind}|M1|P|2.5.1"
    message = "\r".join([header, "PID|1||1^^^A^MR", *segments, ""])
    (fact,) = read(message.encode(), ARRIVED, feed).content.facts
    assert fact.code.system.endswith(expected[0])
    assert fact.code.code == expected[1]
