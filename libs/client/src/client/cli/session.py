"""How a command runs: one event loop, failures as one line on standard error, and an exit code that tells the truth."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from contracts.identifiers import parse_patient
from longitude.record.v1.fact_pb2 import PatientKey

from client.errors import ClientError
from client.terminal import Screen, Text, visible_json

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a page.")]
Patient = Annotated[str, typer.Argument(metavar="PATIENT", help="ID@AUTHORITY, as in PID-3.1 and PID-3.4.")]


def screen() -> Screen:
    """Standard output: colours on a terminal, plain text elsewhere; COLUMNS and NO_COLOR are respected."""
    return Screen(highlight=False, soft_wrap=False)


def margin() -> Screen:
    """Standard error: progress and complaints."""
    return Screen(stderr=True, highlight=False)


def run(work: Coroutine[Any, Any, bool]) -> None:
    """Run a command to its end and exit: 0 if it says that what was asked holds, else 1."""
    try:
        held = asyncio.run(work)
    except ClientError as error:
        complain(str(error))
        held = False
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(0 if held else 1)


def complain(text: str) -> None:
    """One line on standard error."""
    margin().print(Text.assemble(("longitude: ", "bold red"), text), soft_wrap=True)


def print_json(form: Any) -> None:
    """The whole of standard output: one JSON document."""
    sys.stdout.write(visible_json(json.dumps(form, ensure_ascii=False, indent=1)) + "\n")


def print_json_line(form: Any) -> None:
    """A line of JSON, at once."""
    sys.stdout.write(visible_json(json.dumps(form, ensure_ascii=False)) + "\n")
    sys.stdout.flush()


def patient_key(text: str) -> PatientKey:
    """The patient of the command line; BadParameter (exit code 2) when it is not written as one."""
    try:
        return parse_patient(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def moment(text: str | None) -> datetime | None:
    """A time of the command line: ISO 8601, UTC where it names no zone."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a time is written 2026-11-23 or 2026-11-23T08:30:00+01:00") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
