"""Reading again is reading: the same bytes at the same time, by the rules of now; what fails loses nothing."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from ingestion.domain import rereading
from ingestion.domain.feed import FeedRules
from ingestion.domain.reading import Feed, read
from ingestion.domain.reception import received_event
from ingestion.domain.rereading import UNREADABLE, messages_of, reread, reread_event_id
from longitude.ingestion.v1.events_pb2 import MessageReceived, PartitionSpan, Payload
from longitude.record.v1.fact_pb2 import FACT_KIND_RESULT, ClinicalFact

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)
MESSAGE = (
    b"MSH|^~\\&|LAB|NORTH|||20240301||ORU^R01|R1|P|2.5.1\rPID|1||7^^^NORTH^MR||Testperson\r"
    b"OBR|1||F1|2160-0^Creatinine^LN\rOBX|1|NM|2160-0^Creatinine^LN||1.2|mg/dL|||||F|||20240301\r"
)


def received(payload: bytes = MESSAGE) -> MessageReceived:
    message = received_event(read(MESSAGE, AT, Feed()), Payload(inline=payload), AT)
    message.acknowledgement_code = "AA"
    return message


def test_the_same_reader_says_the_same() -> None:
    assert reread(received(), MESSAGE, Feed()).message == received()


def test_what_was_read_wrong_is_read_by_the_rules_of_now() -> None:
    older = received()
    del older.facts[:]
    older.facts.append(ClinicalFact(fact_id="wrong"))
    assert reread(older, MESSAGE, Feed()).message == received()
    elsewhere = Feed({"NORTH": FeedRules(zone=ZoneInfo("America/Chicago"))})
    (fact,) = [one for one in reread(older, MESSAGE, elsewhere).message.facts if one.kind == FACT_KIND_RESULT]
    assert fact.valid_from.ToDatetime(UTC) == datetime(2024, 3, 1, 6, tzinfo=UTC)


def test_what_the_reader_of_now_refuses_says_why_and_nothing_else() -> None:
    again = reread(received(), MESSAGE.replace(b"ORU^R01", b"XYZ^Z99"), Feed())
    assert not again.HasField("message")
    assert again.refusal.split()[0] in {"200", "201"}


def test_what_cannot_be_read_again_stays_as_it_was_with_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumbles(*_: object) -> None:
        raise ZeroDivisionError

    lost = reread(received(), None, Feed())
    monkeypatch.setattr(rereading, "read", stumbles)
    for again in (lost, reread(received(), MESSAGE, Feed())):
        assert again.message.facts == received().facts
        assert [remark.reason for remark in again.message.remarks][-1] == UNREADABLE


def test_each_record_of_each_rereading_has_an_id_of_its_own() -> None:
    places = [(rereading_id, p, o) for rereading_id in ("a", "b") for p in range(3) for o in range(3)]
    assert len({reread_event_id(*place) for place in places}) == len(places)
    assert reread_event_id("a", 1, 2) == reread_event_id("a", 1, 2)


def test_spans_say_how_many_messages_there_are() -> None:
    assert messages_of([PartitionSpan(begin=2, end=5), PartitionSpan(partition=1, begin=0, end=0)]) == 3
