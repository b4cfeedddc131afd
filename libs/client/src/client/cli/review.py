"""`longitude review`: a physician's decision about an assessment. Nothing changes care but this."""

from __future__ import annotations

import getpass
import json as json_text
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from longitude.reasoning.v1.assessment_pb2 import Judgement, ReviewDecision, ReviewedStatement, Verdict
from rich.console import Console
from rich.padding import Padding

from client import forms, stack
from client.api import ReasoningClient
from client.cli.answer import notice_lines
from client.cli.page import BAD, GOOD, QUIET
from client.cli.session import Json, print_json, run, screen
from client.errors import ClientError
from client.terminal import Text

_DECISIONS = {
    "accept": ReviewDecision.REVIEW_DECISION_ACCEPTED,
    "reject": ReviewDecision.REVIEW_DECISION_REJECTED,
    "edit": ReviewDecision.REVIEW_DECISION_EDITED,
}


def review(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The assessment.")],
    *,
    accept: Annotated[bool, typer.Option("--accept", help="Sign it as it is.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Refuse it as a whole.")] = False,
    edit: Annotated[
        Path | None,
        typer.Option(help='JSON list of {"statement_id", "decision": accept|reject|edit, "text", "comment"}.'),
    ] = None,
    reviewer: Annotated[
        str,
        typer.Option(envvar="LONGITUDE_REVIEWER", help="Who signs, as the hospital knows them; default: this account."),
    ] = "",
    json: Json = False,
) -> None:
    """Sign, refuse or correct an assessment. It can be reviewed once."""
    if accept + reject + (edit is not None) != 1:
        raise typer.BadParameter("say one of --accept, --reject or --edit FILE")
    decision = "accept" if accept else "reject" if reject else "edit"
    statements = _statements(edit) if edit else []
    run(_review(identifier, decision, statements, reviewer or getpass.getuser(), as_json=json))


async def _review(
    identifier: str, decision: str, statements: list[ReviewedStatement], reviewer: str, *, as_json: bool
) -> bool:
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        response = await reasoning.review(identifier, reviewer, _DECISIONS[decision], statements)
        stored = await reasoning.assessment(identifier)
    if as_json:
        print_json(
            {
                "assessment_id": identifier,
                "review_id": response.review_id,
                "event_id": response.event_id,
                "decision": decision,
                "reviewer": reviewer,
                "statements": [forms.reviewed(each) for each in stored.reviewed],
                "notices": [forms.notice(each) for each in stored.notices],
            }
        )
    else:
        for line in notice_lines(stored.notices):
            screen().print(line)
        show(screen(), stored.reviewed)
        screen().print(f"{decision}ed by {reviewer}: review {response.review_id}".replace("editeded", "edited"))
        screen().print(f"prove it with: longitude audit prove {response.event_id}", style="dim")
    return True


def show(console: Console, reviewed: Iterable[ReviewedStatement]) -> None:
    """Each edited statement with what was taken out and put in, and what the record says about the new words."""
    for statement in reviewed:
        if statement.decision != ReviewDecision.REVIEW_DECISION_EDITED:
            continue
        console.print(Padding(_changes(statement), (0, 0, 0, 1)))
        if statement.verdict_reason:
            verdict = forms.name_of(Verdict, statement.verdict)
            console.print(Padding(Text(f"{verdict}: {statement.verdict_reason}", style=QUIET), (0, 0, 0, 3)))


def _changes(statement: ReviewedStatement) -> Text:
    """`Creatinine was [-1.95-]{+1.59+} mg/dL`, as word diffs are written."""
    told = Text()
    for span in statement.spans:
        words = statement.original[span.start : span.end]
        if span.judgement == Judgement.JUDGEMENT_KEPT:
            told.append(words)
            continue
        told.append(f"[-{words}-]" if words else "", BAD)
        told.append(f"{{+{span.replacement}+}}" if span.replacement else "", GOOD)
    return told


def _statements(file: Path) -> list[ReviewedStatement]:
    try:
        rows = json_text.loads(file.read_text(encoding="utf-8"))
        return [_statement(row) for row in rows]
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, ClientError) as error:
        raise typer.BadParameter(f"{file}: not a list of reviewed statements ({error})") from None


def _statement(row: dict[str, Any]) -> ReviewedStatement:
    return ReviewedStatement(
        statement_id=row["statement_id"],
        decision=_DECISIONS[row["decision"]],
        text=row.get("text", ""),
        comment=row.get("comment", ""),
    )
