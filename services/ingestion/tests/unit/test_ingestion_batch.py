"""Batch files are taken apart into the messages inside, byte for byte."""

import pytest
from ingestion.domain.batch import split_batch

ONE = b"MSH|^~\\&|A|B\rPID|1||1\r"
TWO = b"MSH|^~\\&|A|B\rPID|1||2\r"


@pytest.mark.parametrize(
    "data",
    [
        ONE + TWO,
        b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ONE + TWO + b"BTS|2\rFTS|1\r",
        b"\xef\xbb\xbfBHS|^~\\&|A\r" + ONE + b"BTS|1\rBHS|^~\\&|A\r" + TWO + b"BTS|1\r",
        b"\x0b" + ONE + b"\x1c\r\x0b" + TWO + b"\x1c\r",
        b"\r\n\r\n" + ONE + b"\r\n" + TWO + b"\r\n",
    ],
)
def test_every_message_of_a_file_comes_out_in_order(data: bytes) -> None:
    assert split_batch(data) == [ONE, TWO]


def test_a_message_with_line_feeds_is_kept_as_it_is() -> None:
    assert split_batch(b"MSH|^~\\&|A\nPID|1\nNTE|1||a BTS|b\n") == [b"MSH|^~\\&|A\nPID|1\nNTE|1||a BTS|b\r"]


@pytest.mark.parametrize("data", [b"", b"BHS|^~\\&|A\rPID|1\rBTS|1\r", b"hello", b"MSHELL SCRIPT"])
def test_a_file_without_a_message_gives_none(data: bytes) -> None:
    assert split_batch(data) == []
