"""`longitude ask`: a question about a patient, the episode as it runs, and every statement with what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement, Assessment, StatementKind, Verdict
from longitude.reasoning.v1.reasoning_service_pb2 import Progress
from rich.console import Console
from rich.padding import Padding

from client import forms, stack
from client.api import ReasoningClient
from client.cli.page import ACCENT, BAD, GOOD, QUIET, source
from client.cli.session import Json, Patient, margin, patient_key, print_json, run, screen
from client.errors import ClientError
from client.terminal import Text

_VERDICT_STYLE = {Verdict.VERDICT_CONTRADICTED: BAD, Verdict.VERDICT_UNSUPPORTED: "yellow"}
_FIRST = (StatementKind.STATEMENT_KIND_ALERT, StatementKind.STATEMENT_KIND_QUESTION)
_LAST = (StatementKind.STATEMENT_KIND_PROPOSAL,)


def ask(
    patient: Patient,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="At most 2,000 characters.")],
    *,
    request_id: Annotated[str, typer.Option(help="The same id gives the same assessment again.")] = "",
    json: Json = False,
) -> None:
    """Ask about a patient. Statements that nothing supports are shown apart, with the reason."""
    run(_ask(patient, question, request_id, as_json=json))


async def _ask(patient: str, question: str, request_id: str, *, as_json: bool) -> bool:
    key = patient_key(patient)
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        assessment = await _follow(reasoning, key, question, request_id)
    if as_json:
        print_json(forms.assessment(assessment))
    else:
        show(screen(), assessment)
    return True


async def _follow(reasoning: ReasoningClient, key: object, question: str, request_id: str) -> Assessment:
    """Show who does what while the episode runs."""
    console = margin()
    with console.status("asking") as status:
        async for item in reasoning.ask(key, question, request_id=request_id):  # type: ignore[arg-type]
            if isinstance(item, Assessment):
                return item
            status.update(_doing(item))
    raise ClientError("reasoning: the episode ended without an assessment; ask again")


def _doing(progress: Progress) -> Text:
    return Text.assemble((progress.role, ACCENT), f" {progress.action} ", (f"{progress.tokens} tokens", QUIET))


def show(console: Console, assessment: Assessment) -> None:
    """The page: what is released, most urgent first; what is proposed; what was withheld and why."""
    released = [statement for statement in assessment.statements if statement.released]
    withheld = [statement for statement in assessment.statements if not statement.released]
    urgent = [s for s in released if s.kind in _FIRST]
    proposed = [s for s in released if s.kind in _LAST]
    found = [s for s in released if s.kind not in _FIRST + _LAST]
    console.print(Text(assessment.question, style="bold"))
    _show_group(console, "Not to be missed", urgent, BAD)
    _show_group(console, "Findings", found, GOOD)
    _show_group(console, "Proposed, for a physician to decide", proposed, ACCENT)
    _show_withheld(console, withheld)
    for missing in assessment.degraded:
        console.print(Text.assemble(("incomplete: ", "yellow"), missing))
    counts = f"{len(released)} released, {len(withheld)} withheld"
    console.print(Text(f"\nassessment {assessment.assessment_id} · {assessment.model} · {counts}", style=QUIET))


def _show_group(console: Console, title: str, statements: Sequence[AssessedStatement], style: str) -> None:
    if not statements:
        return
    console.print(Text(f"\n{title}", style=f"bold {style}"))
    for statement in statements:
        console.print(Padding(Text.assemble(("• ", style), statement.text), (0, 0, 0, 1)))
        if statement.verdict != Verdict.VERDICT_SUPPORTED:
            console.print(Padding(_why(statement), (0, 0, 0, 3)))
        console.print(Padding(Text(_rests_on(statement), style=QUIET), (0, 0, 0, 3)))


def _show_withheld(console: Console, statements: Sequence[AssessedStatement]) -> None:
    if not statements:
        return
    console.print(Text("\nWithheld", style="bold yellow"))
    for statement in statements:
        console.print(Padding(Text.assemble(("× ", "yellow"), statement.text), (0, 0, 0, 1)))
        console.print(Padding(_why(statement), (0, 0, 0, 3)))


def _why(statement: AssessedStatement) -> Text:
    """The verdict and its reason: why it is withheld, or what mark it was released with."""
    verdict = (forms.name_of(Verdict, statement.verdict), _VERDICT_STYLE.get(statement.verdict, QUIET))
    return Text.assemble(verdict, (f": {statement.reason}", QUIET))


def _rests_on(statement: AssessedStatement) -> str:
    """Who made it, and each source: the HL7 field, page or image, or the passage."""
    sources = dict.fromkeys(source(citation) for citation in map(forms.citation, statement.citations))
    author = f"{forms.statement(statement)['author']} {statement.author_name}".strip()
    return " · ".join([author, *sources])
