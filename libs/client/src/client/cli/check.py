"""`longitude check`: a text that another system wrote, sentence by sentence against the patient's whole record."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from longitude.reasoning.v1.assessment_pb2 import Verdict
from longitude.reasoning.v1.reasoning_service_pb2 import CheckedSpan, CheckResponse
from rich.console import Console
from rich.padding import Padding

from client import forms, stack
from client.api import ReasoningClient
from client.cli.page import BAD, GOOD, QUIET, source
from client.cli.session import Json, patient_key, print_json, run, screen
from client.errors import ClientError
from client.terminal import Text

MAX_CHARACTERS = 100_000
_MAX_BYTES = 4 * MAX_CHARACTERS
_LOOK = {
    Verdict.VERDICT_SUPPORTED: ("✓ ", GOOD),
    Verdict.VERDICT_CONTRADICTED: ("× ", BAD),
    Verdict.VERDICT_UNSUPPORTED: ("? ", "yellow"),
    Verdict.VERDICT_NO_CLAIM: ("  ", QUIET),
}


def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Text in UTF-8; `-` for standard input.")],
    *,
    patient: Annotated[str, typer.Option(metavar="ID@AUTHORITY", help="As in PID-3.1 and PID-3.4.")],
    explain: Annotated[bool, typer.Option("--explain", help="Print as what each sentence was read.")] = False,
    json: Json = False,
) -> None:
    """Check a text against the record. Exit code 0 only if every sentence that claims something is supported."""
    run(_check(file, patient, explain=explain, as_json=json))


async def _check(file: str, patient: str, *, explain: bool, as_json: bool) -> bool:
    key, text = patient_key(patient), read(file)
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        checked = await reasoning.check(key, text)
    if as_json:
        print_json(forms.check(key, text, checked))
    else:
        show(screen(), text, checked, explain=explain)
    return checked.verdict == Verdict.VERDICT_SUPPORTED


def read(file: str) -> str:
    """The text as it came, line ends included; ClientError when there is none that can be checked."""
    data = _bytes(file)
    try:
        text = "" if len(data) > _MAX_BYTES else data.decode()
    except UnicodeDecodeError as error:
        raise ClientError(f"{file}: not a text in UTF-8 (byte {error.start})") from None
    if len(data) > _MAX_BYTES or len(text) > MAX_CHARACTERS:
        raise ClientError(f"{file}: the text has more than {MAX_CHARACTERS:,} characters; check it in parts")
    if not text.strip():
        raise ClientError(f"{file}: the text is empty")
    return text


def _bytes(file: str) -> bytes:
    """At most one byte more than may be."""
    if file == "-":
        return sys.stdin.buffer.read(_MAX_BYTES + 1)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ClientError(f"{file}: {error.strerror}") from None


def show(console: Console, text: str, checked: CheckResponse, *, explain: bool = False) -> None:
    """Each sentence with its verdict, why, and where the record says so or otherwise; with `explain`, as what it was
    read.
    """
    for span in checked.spans:
        sign, style = _LOOK[span.verdict]
        words = " ".join(text[span.start : span.end].split())
        console.print(Padding(Text.assemble((sign, style), words), (0, 0, 0, 1)))
        for line in (*(_assertions(text, span) if explain else ()), *_notes(span)):
            console.print(Padding(Text(line, style=QUIET), (0, 0, 0, 3)))
    for missing in checked.degraded:
        console.print(Text.assemble(("incomplete: ", "yellow"), missing))
    counts = f"{checked.supported} supported, {checked.contradicted} contradicted, {checked.unsupported} unsupported"
    console.print(Text(f"\n{counts}", style=QUIET))


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
