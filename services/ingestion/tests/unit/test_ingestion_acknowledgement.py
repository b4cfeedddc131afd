"""Answers: the matrix of modes, ERR in the terms of the message's version, and the same answer to the same message."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ingestion.domain.acknowledgement import Policy, acknowledge, read_envelope
from ingestion.domain.hl7 import parse
from ingestion.domain.refusal import Condition, Location, RefusedError, Verdict

DIGEST = b"d" * 32
REFUSED = RefusedError(Condition.DATA_TYPE, "no|t a^ date", Location("OBX", 3, 14), Verdict.ERROR)


def message(modes: str = "", version: str = "2.5.1", charset: str = "") -> bytes:
    return (
        f"MSH|^~\\&|APP|FAC|HERE|NORTH|20240101||ADT^A01^ADT_A01|M7|P|{version}|||{modes or '|'}||{charset}\r".encode()
    )


def codes(modes: str, refusal: RefusedError | None, policy: Policy) -> list[str]:
    return [code for code, _ in acknowledge(read_envelope(message(modes), "ascii"), refusal, DIGEST, policy)]


MATRIX = [
    ("|", ["AA"], ["AE"]),
    ("AL|", ["CA"], ["CE"]),
    ("|AL", ["AA"], ["AE"]),
    ("AL|AL", ["CA", "AA"], ["CE", "AE"]),
    ("AL|NE", ["CA"], ["CE"]),
    ("AL|ER", ["CA"], ["CE", "AE"]),
    ("AL|SU", ["CA", "AA"], ["CE"]),
    ("NE|AL", ["AA"], ["AE"]),
    ("NE|NE", [], []),
    ("NE|ER", [], ["AE"]),
    ("NE|SU", ["AA"], []),
    ("ER|AL", ["AA"], ["CE", "AE"]),
    ("ER|NE", [], ["CE"]),
    ("ER|ER", [], ["CE", "AE"]),
    ("ER|SU", ["AA"], ["CE"]),
    ("SU|AL", ["CA", "AA"], ["AE"]),
    ("SU|NE", ["CA"], []),
    ("SU|ER", ["CA"], ["AE"]),
    ("SU|SU", ["CA", "AA"], []),
]


@pytest.mark.parametrize(("modes", "accepted", "refused"), MATRIX)
def test_the_matrix_of_msh_15_and_msh_16_is_kept(modes: str, accepted: list[str], refused: list[str]) -> None:
    assert codes(modes, None, Policy.MATRIX) == accepted
    assert codes(modes, REFUSED, Policy.MATRIX) == refused


@pytest.mark.parametrize(("modes", "accepted", "refused"), MATRIX)
def test_by_default_every_message_gets_exactly_one_answer(modes: str, accepted: list[str], refused: list[str]) -> None:
    assert codes(modes, None, Policy.ONE) == (accepted or ["CA"])[:1]
    assert codes(modes, REFUSED, Policy.ONE) == (refused or ["CE"])[:1]


def test_the_same_message_gets_the_same_answer_byte_for_byte() -> None:
    envelope = read_envelope(message(), "ascii")
    first, second = acknowledge(envelope, None, DIGEST), acknowledge(envelope, None, DIGEST)
    other = acknowledge(envelope, None, b"e" * 32)
    assert first == second
    assert first != other


def test_an_answer_turns_sender_and_receiver_and_names_the_message() -> None:
    ((_, answer),) = acknowledge(read_envelope(message(charset="8859/1"), "latin-1"), None, DIGEST)
    msh, msa = answer.decode("latin-1").rstrip("\r").split("\r")
    fields = msh.split("|")
    assert fields[1:6] == ["^~\\&", "HERE", "NORTH", "APP", "FAC"]
    assert fields[8] == "ACK^A01^ACK"
    assert len(fields[9]) == 20
    assert (fields[10], fields[11], fields[17]) == ("P", "2.5.1", "8859/1")
    assert msa == "MSA|AA|M7"


def test_an_answer_is_written_in_the_dialect_of_the_message() -> None:
    raw = b"MSH$%?!@$APP$FAC$HERE$NORTH$20240101$$ADT%A01$M7$P$2.5.1\r"
    ((_, answer),) = acknowledge(read_envelope(raw, "ascii"), REFUSED, DIGEST)
    msh, msa, err = answer.decode().rstrip("\r").split("\r")
    assert msh.startswith("MSH$%?!@$HERE$NORTH$APP$FAC$20240101$$ACK%A01%ACK$")
    assert msa == "MSA$AE$M7"
    assert err == "ERR$$OBX%3%14$102%Data type error%HL70357$E$$$$no|t a^ date"


def test_err_names_place_and_condition_and_escapes_its_text() -> None:
    ((_, answer),) = acknowledge(read_envelope(message(), "ascii"), REFUSED, DIGEST)
    assert answer.decode().rstrip("\r").split("\r")[2] == (
        "ERR||OBX^3^14|102^Data type error^HL70357|E||||no\\F\\t a\\S\\ date"
    )


def test_before_version_2_5_err_and_msa_have_their_old_form() -> None:
    ((_, answer),) = acknowledge(read_envelope(message(version="2.3"), "ascii"), REFUSED, DIGEST)
    _, msa, err = answer.decode().rstrip("\r").split("\r")
    assert msa == "MSA|AE|M7|no\\F\\t a\\S\\ date"
    assert err == "ERR|OBX^3^14^102&Data type error&HL70357"


@pytest.mark.parametrize(
    "raw", [b"", b"hello", b"MSH", b"MSH|", b"MSH|^^^^|A|B", b"\xff\xfe\x00", b"MSHAAAA", b"MSH|^~"]
)
def test_bytes_without_a_usable_header_are_answered_in_the_usual_dialect(raw: bytes) -> None:
    refusal = RefusedError(Condition.SEGMENT_SEQUENCE, "no", Location("MSH"))
    ((code, answer),) = acknowledge(read_envelope(raw, "ascii"), refusal, DIGEST)
    assert code == "AR"
    assert answer.startswith(b"MSH|^~\\&|")
    assert b"\rMSA|AR|" in answer


def test_what_is_repeated_from_a_header_is_bounded() -> None:
    raw = b"MSH|^~\\&|" + b"A" * 5000 + b"|B|C|D|20240101||ADT^A01|" + b"7" * 2000 + b"|P|2.5.1\r"
    ((_, answer),) = acknowledge(read_envelope(raw, "ascii"), None, DIGEST)
    assert len(answer) < 1000


# What acts on a terminal, beside the end of a segment: UAX #9 has the marks of direction.
ACTING = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u061c", *"\u200e\u200f\u2028\u2029"} - {"\r"}
ACTING |= {chr(number) for number in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)}
FOREIGN = st.text(st.sampled_from(sorted(ACTING) + list("|^~\\&#AB1")), max_size=12)


@given(delimiters=FOREIGN, fields=st.lists(FOREIGN, max_size=18), codec=st.sampled_from(["utf-8", "latin-1", "ascii"]))
@example(delimiters="\x1b^~\\&\x1b", fields=["A", "B"], codec="utf-8")
@example(delimiters="|\u202e~\\&|", fields=["A", "B"], codec="utf-8")
@example(delimiters="|^~\\&\x1b[2J|", fields=["A", "B"], codec="utf-8")
def test_no_header_whatever_its_dialect_makes_an_answer_that_acts_on_a_terminal(
    delimiters: str, fields: list[str], codec: str
) -> None:
    header = f"MSH{delimiters}{delimiters[:1].join(fields)}\r"
    refusal = RefusedError(Condition.SEGMENT_SEQUENCE, "no \x1b[2J", Location("\u202eOB"))
    for ((_, answer),) in (
        acknowledge(read_envelope(header.encode(codec, "replace"), codec), None, DIGEST),
        acknowledge(read_envelope(header.encode(codec, "replace"), codec), refusal, DIGEST),
    ):
        assert not set(answer.decode(codec)) & ACTING


@pytest.mark.parametrize("control", ["\x1b[2J", "\x9b2J", "\x07", "\u202e", "\u2066"])
def test_control_characters_of_a_sender_are_text_in_an_answer_and_mean_the_same(control: str) -> None:
    raw = f"MSH|^~\\&|A{control}|B|C|D|20240101||ADT^A01|M{control}7|P|2.5.1\r"
    ((_, answer),) = acknowledge(read_envelope(raw.encode(), "utf-8"), None, DIGEST)
    text = answer.decode()
    assert control[0] not in text
    assert parse(text).get("MSA-2") == f"M{control}7"
