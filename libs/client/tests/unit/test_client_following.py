"""A text that is still being written is handed on as it comes."""

import asyncio
import io
import os

import pytest
from client.cli.check import JsonLines, Page
from client.errors import ClientError
from client.following import Followed, texts
from client.forms import Form
from longitude.reasoning.v1.assessment_pb2 import Verdict
from longitude.reasoning.v1.reasoning_service_pb2 import CheckedSpan, CheckSummary
from rich.console import Console

SPANS = [
    CheckedSpan(start=0, end=4, verdict=Verdict.VERDICT_NO_CLAIM),
    CheckedSpan(start=5, end=11, verdict=Verdict.VERDICT_SUPPORTED, sections=["Labs"]),
]
SUMMARY = CheckSummary(verdict=Verdict.VERDICT_SUPPORTED, supported=1, no_claim=1)


async def test_each_piece_comes_when_it_was_written_and_no_character_is_cut() -> None:
    reading, writing = os.pipe()
    followed = Followed(texts(reading))
    came = aiter(followed)
    for written, text in ((b"K is 5", "K is 5"), ("\u00b5".encode()[:1], ""), ("\u00b5".encode()[1:], "\u00b5")):
        os.write(writing, written)
        assert await anext(came) == text
    os.close(writing)
    assert [part async for part in came] == [""]
    assert followed.text == "K is 5\u00b5"
    os.close(reading)


@pytest.mark.parametrize(
    ("written", "because"),
    [(b"K \xff", "UTF-8"), (b"K \xc2", "UTF-8"), (b'  {"resourceType": "Composition"', "plain text and Markdown")],
)
async def test_what_is_no_text_ends_it(written: bytes, because: str) -> None:
    reading, writing = os.pipe()
    os.write(writing, written)
    os.close(writing)
    with pytest.raises(ClientError, match=because):
        [part async for part in texts(reading)]


def test_a_program_is_given_a_line_for_each_sentence_and_the_counts() -> None:
    lines: list[Form] = []
    page = JsonLines(lines.append)
    for span in SPANS:
        page.span("Labs K is 5", span)
    page.end(SUMMARY)
    assert [line.get("text") for line in lines] == ["Labs", "K is 5", None]
    assert (lines[1]["sections"], lines[1]["sentence"], lines[2]["verdict"]) == (["Labs"], 1, "supported")


def test_a_person_is_shown_each_sentence_with_its_place() -> None:
    buffer = io.StringIO()
    page = Page(Console(file=buffer, width=100, highlight=False))
    for span in SPANS:
        page.span("Labs K is 5", span)
    shown = [line.strip() for line in buffer.getvalue().splitlines()]
    assert shown == ["Labs", "✓ K is 5", "Labs, sentence 1"]


async def test_reading_ends_with_the_loop() -> None:
    reading, writing = os.pipe()
    came = aiter(texts(reading))
    os.write(writing, b"K")
    assert await asyncio.wait_for(anext(came), 10) == "K"
    await came.aclose()  # type: ignore[attr-defined]
    os.close(writing)
