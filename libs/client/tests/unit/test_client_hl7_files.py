"""Messages out of files as people have them."""

import pytest
from client.hl7_files import messages_in
from contracts.mllp import Answer, acknowledgement
from hypothesis import given
from hypothesis import strategies as st

ONE = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\rPID|1||X\r"
TWO = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A03|2|P|2.5\rPID|1||X\r"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_segment_ends_become_those_of_the_standard(end: bytes) -> None:
    assert list(messages_in((ONE + TWO).replace(b"\r", end))) == [ONE, TWO]


def test_a_byte_order_mark_is_taken_off() -> None:
    assert list(messages_in(b"\xef\xbb\xbf" + ONE)) == [ONE]


def test_envelopes_of_files_and_batches_are_not_messages() -> None:
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + TWO + b"BTS|2\rFTS|1\r"
    assert list(messages_in(batch)) == [ONE, TWO]


def test_frames_of_mllp_in_a_file_are_messages() -> None:
    assert list(messages_in(b"\x0b" + ONE + b"\x1c\r\x0b" + TWO + b"\x1c\r")) == [ONE, TWO]


def test_blank_lines_and_spaces_between_segments_are_not_segments() -> None:
    assert list(messages_in(ONE.replace(b"\r", b"\r\n\r\n  "))) == [ONE]


def test_bytes_of_other_charsets_are_left_as_they_are() -> None:
    message = "MSH|^~\\&|A\rPID|1||X||Müller\r".encode("latin-1")
    assert list(messages_in(message)) == [message]


def test_what_is_not_hl7_is_one_message_for_the_listener_to_refuse() -> None:
    assert list(messages_in(b"hello\nworld")) == [b"hello\rworld\r"]


def test_an_empty_file_holds_no_message() -> None:
    assert list(messages_in(b"\r\n")) == []


@given(st.lists(st.sampled_from([ONE, TWO]), min_size=1, max_size=20))
def test_no_message_is_lost_or_doubled(messages: list[bytes]) -> None:
    assert list(messages_in(b"".join(messages))) == messages


def test_an_answer_is_read_with_its_own_separators() -> None:
    refused = b"MSH$%~\\&$X\rMSA$AE$42$no\rERR$$$207%x$E$$$$PID-3 is missing\r"
    assert acknowledgement(refused) == Answer("AE", "42", "PID-3 is missing", "207")
    assert acknowledgement(b"MSH|^~\\&|X\rMSA|AA|42\r") == Answer("AA", "42", "")


@pytest.mark.parametrize("answer", [b"", b"MSH", b"hello", b"MSH|^~\\&|X\r"])
def test_an_answer_without_a_code_is_unreadable(answer: bytes) -> None:
    assert acknowledgement(answer).code == "unreadable"
