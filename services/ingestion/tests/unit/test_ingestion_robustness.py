"""Whatever a stranger sends is taken or refused with a reason; nothing else ever comes out."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingestion.domain.acknowledgement import acknowledge, read_envelope
from ingestion.domain.batch import split_batch
from ingestion.domain.reading import Feed, read
from ingestion.domain.refusal import RefusedError

ARRIVED = datetime(2024, 6, 1, tzinfo=UTC)
STORY = Path(__file__).parents[4] / "deploy" / "demo" / "story"
PIECES = [
    "|",
    "^",
    "~",
    "\\",
    "&",
    "\r",
    '""',
    "\\X",
    "\\.br\\",
    "OBX",
    "PID",
    "20240230",
    "<",
    "9" * 40,
    "é",
    "\0",
    "Base64",
    "ED",
    "NM",
]
SEGMENTS = [
    "MSH",
    "EVN",
    "PID",
    "PV1",
    "OBR",
    "OBX",
    "ORC",
    "RXE",
    "RXA",
    "TXA",
    "DG1",
    "AL1",
    "MRG",
    "PRB",
    "IAM",
    "PR1",
    "TQ1",
]
TYPES = ["ADT^A01", "ADT^A40", "ORU^R01", "RDE^O11", "ORM^O01", "MDM^T02", "VXU^V04", "PPR^PC1", "SIU^S12"]


def answered(payload: bytes) -> bytes:
    """The answer to bytes, as the handler gives it; any other error than a refusal escapes."""
    try:
        reading = read(payload, ARRIVED, Feed())
        return acknowledge(reading.envelope, None, b"")[0][1]
    except RefusedError as refusal:
        return acknowledge(read_envelope(payload, "latin-1"), refusal, b"")[0][1]


fields = st.lists(
    st.lists(st.sampled_from([*PIECES, "1", "A", "MR", "20240101"]), max_size=4).map("".join), max_size=30
)
segments = st.tuples(st.sampled_from(SEGMENTS[1:]), fields).map(lambda pair: "|".join([pair[0], *pair[1]]))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(TYPES), st.lists(segments, max_size=12))
def test_any_segments_are_taken_or_refused(message_type: str, lines: list[str]) -> None:
    header = f"MSH|^~\\&|A|B|||20240101||{message_type}|1|P|2.5.1"
    assert b"\rMSA|A" in answered("\r".join([header, "PID|1||7^^^N^MR", *lines]).encode())


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_are_taken_or_refused(payload: bytes) -> None:
    assert b"MSA" in answered(payload)
    assert b"MSA" in answered(b"MSH|" + payload)
    assert b"MSA" in answered(b"MSH|" + payload[:5] + b"|A|B|||20240101||ADT^A01|1|P|2.5||||||" + payload[5:])


@pytest.mark.parametrize("file", sorted(STORY.glob("*.hl7")), ids=lambda file: file.stem)
def test_damaged_messages_are_taken_or_refused(file: Path) -> None:
    dice = random.Random(file.name)
    for message in split_batch(file.read_bytes()):
        for _ in range(10):
            damaged = bytearray(message)
            for _ in range(dice.randint(1, 8)):
                at = dice.randrange(len(damaged))
                damaged[at : at + dice.randint(0, 3)] = dice.choice(PIECES).encode()[:4]
            assert b"MSA" in answered(bytes(damaged))
