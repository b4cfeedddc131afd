"""The verdict on a log: whatever was altered, cut off, repeated or left out is told."""

from __future__ import annotations

import hashlib

import pytest
from client.errors import VerificationError
from client.records import RawRecord
from client.verify.canonical_json import canonical
from client.verify.merkle import RootBuilder
from client.verify.note import Checkpoint
from client.verify.report import LogCheck, Report
from longitude.auditing.v1.auditing_service_pb2 import Leaf

TOPIC = "ingestion.message-received.v1"
ENDS = {(TOPIC, 0): 6}
STARTS = {(TOPIC, 0): 0}


def record(offset: int, *, event: str = "", value: bytes = b"") -> RawRecord:
    headers = {"ce_id": event or f"e-{offset}"}
    return RawRecord(TOPIC, 0, offset, 0, b"", value or f"payload {offset}".encode(), headers)


def leaf(index: int, of: RawRecord) -> Leaf:
    details = {"topic": of.topic, "partition": "0", "offset": str(of.offset), "sha256": of.sha256.hex()}
    event = {
        "entity": [
            {
                "what": {"identifier": {"value": of.event_id}},
                "detail": [{"type": name, "valueString": value} for name, value in details.items()],
            }
        ]
    }
    return Leaf(
        index=index,
        leaf_data=canonical(event),
        event_id=of.event_id,
        topic=of.topic,
        offset=of.offset,
        payload_sha256=of.sha256,
    )


RECORDS = [record(n) for n in range(6)]
LEAVES = [leaf(n, RECORDS[n]) for n in range(6)]


def head_of(leaves: list[Leaf]) -> Checkpoint:
    builder = RootBuilder()
    for one in leaves:
        builder.add(one.leaf_data)
    return Checkpoint("log", builder.size, builder.root())


def verdict(
    leaves: list[Leaf], records: list[RawRecord], head: Checkpoint, *heads: Checkpoint, start: int = 0
) -> Report:
    check = LogCheck()
    for signed in heads:
        check.take_head(signed)
    for one in leaves:
        check.take_leaf(one)
    for read in records:
        check.take_record(read)
    return check.finish(head, {(TOPIC, 0): start}, ENDS)


def test_a_whole_log_holds() -> None:
    report = verdict(LEAVES, RECORDS, head_of(LEAVES), head_of(LEAVES[:3]), head_of(LEAVES))
    assert report.holds
    assert (report.size, report.verified, report.missing, report.heads) == (6, 6, 0, 2)


def test_an_altered_payload_is_told() -> None:
    report = verdict(LEAVES, [*RECORDS[:5], record(5, value=b"altered")], head_of(LEAVES))
    assert report.problems == [f"{TOPIC}/0/5: the payload was altered after it was logged"]


def test_an_altered_leaf_is_told() -> None:
    altered = Leaf.FromString(LEAVES[2].SerializeToString())
    altered.leaf_data = altered.leaf_data.replace(b'"e-2"', b'"e-9"')
    altered.event_id = "e-9"
    assert not verdict([*LEAVES[:2], altered, *LEAVES[3:]], RECORDS, head_of(LEAVES)).holds


def test_fields_beside_the_hashed_data_cannot_lie() -> None:
    lying = Leaf.FromString(LEAVES[2].SerializeToString())
    lying.payload_sha256 = hashlib.sha256(b"forged").digest()
    forged = [*RECORDS[:2], record(2, value=b"forged"), *RECORDS[3:]]
    report = verdict([*LEAVES[:2], lying, *LEAVES[3:]], forged, head_of(LEAVES))
    assert report.problems == ["leaf 2 says other things than its AuditEvent"]


def test_a_tail_cut_off_is_told_by_the_tree_signed_before_and_by_kafka() -> None:
    report = verdict(LEAVES[:4], RECORDS, head_of(LEAVES[:4]), head_of(LEAVES))
    assert report.missing == 2
    assert "the log once had 6 leaves: it was cut back to 4" in report.problems


def test_leaves_held_back_from_the_signed_tree_are_told() -> None:
    report = verdict(LEAVES[:5], RECORDS, head_of(LEAVES))
    assert "the 5 leaves do not give the signed root of 6 leaves" in report.problems


def test_a_rewritten_log_is_told_by_the_tree_signed_before() -> None:
    rewritten = [leaf(0, record(0, value=b"other")), *LEAVES[1:]]
    records = [record(0, value=b"other"), *RECORDS[1:]]
    report = verdict(rewritten, records, head_of(rewritten), head_of(LEAVES[:3]))
    assert report.problems == ["the first 3 leaves are not those that the log once signed"]


def test_two_trees_of_one_size_are_told() -> None:
    other = Checkpoint("log", 6, bytes(32))
    assert (
        "the log signed two different trees of 6 leaves"
        in verdict(LEAVES, RECORDS, head_of(LEAVES), head_of(LEAVES), other).problems
    )


def test_a_record_without_a_leaf_is_missing() -> None:
    without = [leaf(n, r) for n, r in enumerate(r for r in RECORDS if r.offset != 3)]
    report = verdict(without, RECORDS, head_of(without))
    assert (report.missing, report.holds) == (1, False)
    assert report.problems == [f"{TOPIC}/0/3: the record has no leaf"]


def test_a_redelivered_event_is_neither_verified_twice_nor_missing() -> None:
    again = record(5, event="e-0", value=b"payload 0")
    in_other_words = record(4, event="e-1", value=b"received later")
    report = verdict(LEAVES[:4], [*RECORDS[:4], in_other_words, again], head_of(LEAVES[:4]))
    assert report.holds
    assert (report.verified, report.redelivered, report.differing) == (4, 2, 1)


def test_a_record_that_kafka_lost_is_told_and_one_that_expired_is_counted() -> None:
    lost = verdict(LEAVES, [r for r in RECORDS if r.offset != 2], head_of(LEAVES))
    assert lost.problems == [f"{TOPIC}/0/2: Kafka has lost the record of a leaf"]
    expired = verdict(LEAVES, RECORDS[2:], head_of(LEAVES), start=2)
    assert (expired.expired, expired.verified, expired.holds) == (2, 4, True)


def test_a_repeated_leaf_is_told() -> None:
    repeated = [*LEAVES, leaf(6, RECORDS[0])]
    assert "leaf 6 repeats another leaf" in verdict(repeated, RECORDS, head_of(repeated)).problems


def test_leaves_out_of_order_end_the_reading() -> None:
    with pytest.raises(VerificationError, match="leaf 1 came where leaf 0 was due"):
        verdict(LEAVES[1:], RECORDS, head_of(LEAVES))


def test_a_record_may_come_before_its_leaf() -> None:
    check = LogCheck()
    for read in RECORDS:
        check.take_record(read)
    for one in LEAVES:
        check.take_leaf(one)
    assert check.settle() == 0
    assert check.finish(head_of(LEAVES), STARTS, ENDS).holds
