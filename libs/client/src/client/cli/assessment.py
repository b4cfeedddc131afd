"""`longitude assessment`: one that was written earlier, and what of its evidence was withdrawn since."""

from __future__ import annotations

from typing import Annotated

import typer
from longitude.reasoning.v1.assessment_pb2 import ReviewDecision
from longitude.reasoning.v1.reasoning_service_pb2 import GetAssessmentResponse

from client import forms, stack
from client.api import ReasoningClient
from client.cli.answer import Page
from client.cli.page import QUIET
from client.cli.session import Json, print_json, run, screen


def assessment(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The assessment.")],
    *,
    more: Annotated[bool, typer.Option("--more", help="Unfold what does not answer, and what was withheld.")] = False,
    json: Json = False,
) -> None:
    """Show an assessment again, with a notice where evidence that it cites was withdrawn."""
    run(_assessment(identifier, more=more, as_json=json))


async def _assessment(identifier: str, *, more: bool, as_json: bool) -> bool:
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        stored = await reasoning.assessment(identifier)
    if as_json:
        print_json(form_of(stored))
        return True
    console = screen()
    Page(console, stored.assessment.question, more=more).show(stored.assessment, stored.notices, stored.drifted)
    if stored.decision:
        console.print(forms.name_of(ReviewDecision, stored.decision), style=QUIET)
    return True


def form_of(stored: GetAssessmentResponse) -> forms.Form:
    """As `ask` gives it, with the decision on it."""
    return forms.assessment(stored.assessment, stored.notices, stored.drifted) | {
        "decision": forms.name_of(ReviewDecision, stored.decision) if stored.decision else None,
        "reviewed": [forms.reviewed(each) for each in stored.reviewed],
    }
