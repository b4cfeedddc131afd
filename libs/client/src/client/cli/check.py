"""`longitude check`: a text that another system wrote, sentence by sentence against the patient's whole record."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, Callable
from pathlib import Path
from typing import Annotated

import typer
from longitude.reasoning.v1.assessment_pb2 import Verdict
from longitude.reasoning.v1.reasoning_service_pb2 import CheckedSpan, CheckResponse, CheckSummary
from longitude.record.v1.fact_pb2 import PatientKey
from rich.console import Console
from rich.padding import Padding

from client import forms, stack
from client.api import ReasoningClient
from client.cli.page import BAD, GOOD, QUIET, source
from client.cli.session import Json, patient_key, print_json, print_json_line, run, screen
from client.documents import MOST_BYTES, Document, read_document
from client.errors import ClientError
from client.following import Followed, texts
from client.terminal import Text

_FILE = "Text, Markdown, HTML, C-CDA, or FHIR JSON of a Composition or DocumentReference; `-` for standard input."
_LOOK = {
    Verdict.VERDICT_SUPPORTED: ("✓ ", GOOD),
    Verdict.VERDICT_CONTRADICTED: ("× ", BAD),
    Verdict.VERDICT_UNSUPPORTED: ("? ", "yellow"),
    Verdict.VERDICT_NO_CLAIM: ("  ", QUIET),
}


def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help=_FILE)] = "-",
    *,
    patient: Annotated[str, typer.Option(metavar="ID@AUTHORITY", help="As in PID-3.1 and PID-3.4.")],
    explain: Annotated[bool, typer.Option("--explain", help="Print as what each sentence was read.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Judge standard input while it is being written.")] = False,
    json: Json = False,
) -> None:
    """Check a text against the record. Exit code 0 only if every sentence that claims something is supported."""
    if follow and file != "-":
        raise typer.BadParameter("--follow reads standard input")
    key = patient_key(patient)
    run(_follow(key, explain=explain, as_json=json) if follow else _check(file, key, explain=explain, as_json=json))


async def _check(file: str, patient: PatientKey, *, explain: bool, as_json: bool) -> bool:
    document = read(file)
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        checked = await reasoning.check(patient, document.text)
    if as_json:
        print_json(forms.check(patient, document, checked))
    else:
        show(screen(), document.text, checked, explain=explain)
    return checked.verdict == Verdict.VERDICT_SUPPORTED


async def _follow(patient: PatientKey, *, explain: bool, as_json: bool) -> bool:
    """Each sentence as soon as it is complete; with `as_json` a line each, the counts last."""
    page = JsonLines() if as_json else Page(screen(), explain=explain)
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        return await follow_all(reasoning, patient, texts(sys.stdin.fileno()), page)


async def follow_all(
    reasoning: ReasoningClient, patient: PatientKey, came: AsyncIterable[str], page: Page | JsonLines
) -> bool:
    """Whether everything that the text claims is supported."""
    followed = Followed(came)
    async for each in reasoning.check_stream(patient, followed):
        if isinstance(each, CheckSummary):
            page.end(each)
            return each.verdict == Verdict.VERDICT_SUPPORTED
        page.span(followed.text, each)
    return False


def read(file: str) -> Document:
    """The text that a reader sees; ClientError when there is none that can be checked."""
    data = _bytes(file)
    try:
        return read_document(data)
    except ClientError as error:
        raise ClientError(f"{file}: {error}") from None


def _bytes(file: str) -> bytes:
    """At most one byte more than may be."""
    if file == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ClientError(f"{file}: {error.strerror}") from None


def show(console: Console, text: str, checked: CheckResponse, *, explain: bool = False) -> None:
    """Each sentence with its verdict and place, why, and where the record says so or otherwise; with `explain`, as what
    it was read.
    """
    page = Page(console, explain=explain)
    for span in checked.spans:
        page.span(text, span)
    page.end(checked)


class Page:
    """What a person sees."""

    def __init__(self, console: Console, *, explain: bool = False) -> None:
        self._console = console
        self._explain = explain
        self._places = forms.Places()

    def span(self, text: str, span: CheckedSpan) -> None:
        sign, style = _LOOK[span.verdict]
        words = " ".join(text[span.start : span.end].split())
        self._console.print(Padding(Text.assemble((sign, style), words), (0, 0, 0, 1)))
        place = self._place(span)
        notes = (*(_assertions(text, span) if self._explain else ()), *_notes(span))
        for line in () if span.verdict == Verdict.VERDICT_NO_CLAIM else (place, *notes):
            self._console.print(Padding(Text(line, style=QUIET), (0, 0, 0, 3)))

    def end(self, summary: CheckResponse | CheckSummary) -> None:
        for missing in summary.degraded:
            self._console.print(Text.assemble(("incomplete: ", "yellow"), missing))
        counts = (
            f"{summary.supported} supported, {summary.contradicted} contradicted, {summary.unsupported} unsupported"
        )
        self._console.print(Text(f"\n{counts}", style=QUIET))

    def _place(self, span: CheckedSpan) -> str:
        """`Hospital course › Stopped, sentence 2`."""
        return ", ".join(
            (*([" › ".join(span.sections)] if span.sections else []), f"sentence {self._places.next(span)}")
        )


class JsonLines:
    """What a program sees: a line for each sentence, the counts last."""

    def __init__(self, write: Callable[[forms.Form], None] = print_json_line) -> None:
        self._write = write
        self._places = forms.Places()

    def span(self, text: str, span: CheckedSpan) -> None:
        self._write(forms.span(text, span, self._places))

    def end(self, summary: CheckSummary) -> None:
        self._write(forms.check_summary(summary))


def _assertions(text: str, span: CheckedSpan) -> list[str]:
    """`measured (“K 5.6”): obs K, value 5.6`."""
    return [
        f"{read.kind} (“{' '.join(text[read.start : read.end].split())}”): "
        + ", ".join(f"{one.name} {one.text}" for one in read.arguments)
        for read in span.assertions
    ]


def _notes(span: CheckedSpan) -> list[str]:
    cited = [forms.citation(each) for each in span.citations]
    told = [f"{source(each)}: {each['quote']}" if each.get("quote") else source(each) for each in cited]
    if span.reason:
        told.insert(0, f"{forms.name_of(Verdict, span.verdict)}: {span.reason}")
    return told
