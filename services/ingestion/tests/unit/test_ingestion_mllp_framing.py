"""Framing does not depend on how bytes are split, and loses nothing silently."""

from itertools import pairwise

import pytest
from contracts.mllp import frame
from hypothesis import given, settings
from hypothesis import strategies as st
from ingestion.domain.mllp import BrokenFrame, Fault, Frame, Framer, Received

LIMIT = 64
PAYLOADS = st.binary(max_size=LIMIT).map(lambda data: data.replace(b"\x0b", b"v").replace(b"\x1c", b"f"))
PIECES = st.one_of(
    PAYLOADS.map(frame),
    st.sampled_from(
        [b"\r\n", b"\0\0", b"noise", b"\x0b", b"\x1c\r", b"\x0bMSH|^~\\&|\r", b"\x1c", b"\x0b\x0bMSH|\x1c\r"]
    ),
    st.binary(min_size=LIMIT, max_size=4 * LIMIT).map(frame),
)


def received(chunks: list[bytes], limit: int = LIMIT) -> list[Received]:
    framer = Framer(limit, drain=100 * LIMIT)
    out = [item for chunk in chunks for item in framer.feed(chunk)]
    return out + framer.close()


@settings(deadline=None)
@given(st.lists(PIECES, max_size=8), st.lists(st.integers(0, 600), max_size=12))
def test_any_split_of_the_bytes_gives_the_same_frames(pieces: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pieces)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[a:b] for a, b in pairwise(edges)]
    whole = received([stream])
    assert received(chunks) == whole
    assert received([bytes([byte]) for byte in stream]) == whole


@settings(deadline=None)
@given(st.lists(PAYLOADS, max_size=10))
def test_every_message_of_a_connection_comes_out_once_and_in_order(payloads: list[bytes]) -> None:
    stream = b"\r\n".join(frame(payload) for payload in payloads)
    assert received([stream]) == [Frame(payload) for payload in payloads]


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_survived_within_the_memory_of_one_frame(data: bytes) -> None:
    framer = Framer(LIMIT, drain=LIMIT)
    for byte in data:
        framer.feed(bytes([byte]))
        assert len(framer._buffer) <= LIMIT + 2
    framer.close()
    assert not framer.inside


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"\x0b\x1c\r", [Frame(b"")]),
        (b"\x0b\x0bMSH|\x1c\r", [Frame(b"MSH|")]),
        (b"\x0bMSH|a\x1c\n\x0bMSH|b\x1c\r", [Frame(b"MSH|a"), Frame(b"MSH|b")]),
        (b"\x0bMSH|a\x1c\x0bMSH|b\x1c\r", [Frame(b"MSH|a"), Frame(b"MSH|b")]),
        (b"\x0bMSH|a\x1c", [Frame(b"MSH|a")]),
        (b"\x0bMSH|a\rPID|1", [BrokenFrame(Fault.UNTERMINATED, b"MSH|a\rPID|1", 11)]),
        (
            b"\x0bMSH|a\r\x0bMSH|b\x1c\r",
            [BrokenFrame(Fault.UNTERMINATED, b"MSH|a\r", 6), Frame(b"MSH|b")],
        ),
        (b"\x0bMSH|a\x0bvt\x1c\r", [Frame(b"MSH|a\x0bvt")]),
        (b"junk\x0bMSH|\x1c\r", [BrokenFrame(Fault.NOISE, b"junk", 4), Frame(b"MSH|")]),
        (b"junk", [BrokenFrame(Fault.UNFRAMED, b"junk", 4)]),
        (b"\0\r\n\x0bMSH|\x1c\r\0\r\n", [Frame(b"MSH|")]),
        (frame(b"z" * LIMIT), [Frame(b"z" * LIMIT)]),
        (frame(b"z" * (LIMIT + 1)), [BrokenFrame(Fault.OVERSIZED, b"z" * LIMIT, LIMIT + 1)]),
    ],
)
def test_what_senders_do_with_their_framing_is_understood(stream: bytes, expected: list[Received]) -> None:
    assert received([stream]) == expected


def test_a_frame_over_the_limit_is_drained_to_its_end_and_the_next_one_read() -> None:
    out = received([frame(b"z" * 1000) + frame(b"MSH|")])
    assert out == [BrokenFrame(Fault.OVERSIZED, b"z" * LIMIT, 1000), Frame(b"MSH|")]


def test_a_frame_that_never_ends_is_given_up_after_the_drain_bound() -> None:
    framer = Framer(LIMIT, drain=LIMIT)
    out = framer.feed(b"\x0b" + b"z" * (3 * LIMIT))
    assert framer.exhausted
    assert [item.fault for item in out if isinstance(item, BrokenFrame)] == [Fault.OVERSIZED]


def test_endless_noise_is_given_up_after_the_drain_bound() -> None:
    framer = Framer(LIMIT, drain=LIMIT)
    framer.feed(b"z" * (LIMIT + 1))
    assert framer.exhausted
    (broken,) = framer.close()
    assert broken == BrokenFrame(Fault.UNFRAMED, b"z" * (LIMIT + 1), LIMIT + 1)
