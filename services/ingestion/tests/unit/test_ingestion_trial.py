"""A trial says what other rules would change and only that: places first, values never among them."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ingestion.domain.feed import FeedRules
from ingestion.domain.local_codes import StandardCode
from ingestion.domain.reading import Feed
from ingestion.domain.trial import changes
from longitude.ingestion.v1.ingestion_service_pb2 import Change, ReceivedMessage

NOTHING = Feed()
LOCAL = Feed({"NORTH": FeedRules(local_codes={"X7714": StandardCode("LN", "2160-0")})})


def message(facility: str, *segments: str, kind: str = "ORU^R01") -> ReceivedMessage:
    header = f"MSH|^~\\&|LAB|{facility}|||20240301120000||{kind}|M1|P|2.5.1"
    text = "\r".join([header, "PID|1||1^^^A^MR", *segments, ""])
    made = ReceivedMessage(payload=text.encode())
    made.received_at.FromDatetime(datetime(2024, 3, 1, 12, tzinfo=UTC))
    return made


def result(facility: str, code: str) -> ReceivedMessage:
    return message(facility, "OBR|1||F1|P^Panel^L|||202403011000", f"OBX|1|NM|{code}^Hausanalyt^L||1.4|mg/dL|||||F")


def tried(messages: list[ReceivedMessage], feed: Feed) -> list[Change]:
    return list(changes(messages, NOTHING, feed))


def test_the_same_rules_change_nothing() -> None:
    assert tried([result("NORTH", "X7714"), message("NORTH", kind="XXX^Y01")], Feed()) == []


def test_only_messages_that_a_rule_reaches_change() -> None:
    (change,) = tried([result("SOUTH", "X7714"), result("NORTH", "X7714"), result("NORTH", "OTHER")], LOCAL)
    assert change.message == 1
    assert [(one.place, one.count) for one in change.facts_added] == [("OBX-5", 1)]
    assert [(one.place, one.count) for one in change.facts_removed] == [("OBX-5", 1)]
    assert (change.removed[0].code.code, change.added[0].code.code) == ("X7714", "2160-0")
    assert not change.patient_changed


def test_a_zone_moves_every_time_of_its_facility() -> None:
    feed = Feed(default=replace(FeedRules(), zone=ZoneInfo("Europe/Vienna")))
    (change,) = tried([result("NORTH", "K")], feed)
    assert change.removed[0].valid_from.seconds - change.added[0].valid_from.seconds == 3600


def test_another_authority_is_another_patient() -> None:
    sent = result("", "K")
    sent.payload = sent.payload.replace(b"|LAB|", b"||").replace(b"1^^^A^MR", b"1")
    (change,) = tried([sent], Feed(default=FeedRules(authority="REGION")))
    assert change.patient_changed
