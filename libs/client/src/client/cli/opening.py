"""`longitude open`: opening to oneself what is closed of a record, with a reason and an end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from contracts.identifiers import format_patient
from longitude.memory.v1 import memory_service_pb2 as pb

from client import forms, stack
from client.api import MemoryClient
from client.cli.page import BAD, QUIET, row, styled, table
from client.cli.session import Json, Patient, margin, patient_key, print_json, run, screen

app = typer.Typer(help="Open what is closed of a record, with a reason and an end.", no_args_is_help=True)

Opening = Annotated[str, typer.Argument(metavar="OPENING", help="As `longitude open list` shows it.")]


def notice(view: pb.View) -> None:
    """What stands above what is shown: a broken glass, and how much was left out. On standard error."""
    if view.banner:
        margin().print(styled(view.banner, BAD), soft_wrap=True)
    if view.left_out:
        many = "1 fact" if view.left_out == 1 else f"{view.left_out} facts"
        margin().print(f"{many} of this record are closed to you; `longitude open` opens them", style=QUIET)


@app.command()
def record(
    patient: Patient,
    *,
    reason: Annotated[str, typer.Option(help="Why you need it: 10 to 500 characters.")],
    category: Annotated[
        list[str] | None, typer.Option(help="MH, HIV, SUD, GDIS or SEX; default: all that open to your role.")
    ] = None,
    break_glass: Annotated[
        bool, typer.Option("--break-glass", help="An emergency: somebody else reviews it afterwards.")
    ] = False,
    minutes: Annotated[int, typer.Option(min=0, help="How long; 0: an hour.")] = 0,
    json: Json = False,
) -> None:
    """Open more of a patient's record to yourself. It is recorded, with the reason."""
    request = pb.OpenRecordRequest(
        patient=patient_key(patient),
        purpose="BTG" if break_glass else "TREAT",
        categories=category or (),
        reason=reason,
        minutes=minutes,
    )
    run(_record(request, as_json=json))


async def _record(request: pb.OpenRecordRequest, *, as_json: bool) -> bool:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        opened = await memory.open_record(request)
    _show([opened], as_json=as_json)
    return True


@app.command()
def end(opening: Opening) -> None:
    """End one of your openings before its time."""
    run(_end(opening))


async def _end(opening: str) -> bool:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        await memory.end_opening(opening)
    return True


@app.command("list")
def list_(
    *,
    due: Annotated[bool, typer.Option("--due", help="Only those that somebody still has to review.")] = False,
    json: Json = False,
) -> None:
    """Your openings; everybody's if you are an auditor."""
    run(_list(due=due, as_json=json))


async def _list(*, due: bool, as_json: bool) -> bool:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        openings = await memory.openings(unreviewed=due)
    _show(openings, as_json=as_json)
    return True


@app.command()
def review(
    opening: Opening,
    *,
    justified: Annotated[bool, typer.Option("--justified/--unjustified", help="Whether there was a reason for it.")],
    comment: Annotated[str, typer.Option(help="10 to 500 characters.")],
) -> None:
    """Close the review of an opening of somebody else (auditors)."""
    run(_review(opening, justified=justified, comment=comment))


async def _review(opening: str, *, justified: bool, comment: str) -> bool:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        await memory.review_opening(opening, justified=justified, comment=comment)
    return True


def _show(openings: Sequence[pb.Opening], *, as_json: bool) -> None:
    if as_json:
        print_json([_form(one) for one in openings])
        return
    page = table("Openings", "opening", "patient", "by", "for", "opens", "until", "reason", "review")
    for one in openings:
        row(
            page,
            one.opening_id,
            format_patient(one.patient),
            one.by.name,
            one.purpose,
            " ".join(one.categories),
            forms.time_text(one.ended_at if one.HasField("ended_at") else one.ends_at)[:16].replace("T", " "),
            one.reason,
            _reviewed(one),
        )
    screen().print(page)


def _reviewed(one: pb.Opening) -> str:
    if not one.HasField("reviewed_by"):
        return "due" if one.review else ""
    return f"{'justified' if one.justified else 'unjustified'} ({one.reviewed_by.name}): {one.comment}"


def _form(one: pb.Opening) -> forms.Form:
    return {
        "opening_id": one.opening_id,
        "patient": format_patient(one.patient),
        "by": {"issuer": one.by.issuer, "subject": one.by.subject, "name": one.by.name},
        "purpose": one.purpose,
        "categories": list(one.categories),
        "reason": one.reason,
        "opened_at": forms.time_text(one.opened_at),
        "ends_at": forms.time_text(one.ends_at),
        "ended_at": forms.time_text(one.ended_at) if one.HasField("ended_at") else None,
        "review": one.review,
        "reviewed_by": one.reviewed_by.name if one.HasField("reviewed_by") else None,
        "justified": one.justified if one.HasField("reviewed_by") else None,
        "comment": one.comment or None,
    }
