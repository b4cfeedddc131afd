"""`longitude worklist` and `longitude concern`: what the rules see before anybody asks, and what people do about it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from contracts.identifiers import format_patient
from longitude.reasoning.v1 import advice_pb2, prepared_pb2
from longitude.reasoning.v1 import concern_pb2 as pb
from longitude.reasoning.v1.assessment_pb2 import Form
from rich.console import Console

from client import forms, stack
from client.api import ReasoningClient
from client.api.memory import timestamp
from client.cli.page import ACCENT, BAD, QUIET, WARN, age, source, styled
from client.cli.session import Json, moment, patient_key, print_json, run, screen
from client.terminal import Text

app = typer.Typer(help="Act on a concern of the worklist.", no_args_is_help=True)

WATCH_SECONDS = 2.0
Urgency = StrEnum(  # type: ignore[misc]
    "Urgency", {name: name.removeprefix("URGENCY_").lower() for name, value in advice_pb2.Urgency.items() if value}
)
_IMPORTANT = Urgency("important")
_STYLES = {advice_pb2.URGENCY_CONTRAINDICATED: BAD, advice_pb2.URGENCY_URGENT: BAD, advice_pb2.URGENCY_IMPORTANT: WARN}

Identifier = Annotated[str, typer.Argument(metavar="ID", help="As `longitude worklist` shows it.")]
Reason = Annotated[str, typer.Option(help="Why, at most 500 characters; of a dismissal at least 10.")]
Revision = Annotated[int, typer.Option(min=0, help="The revision that you saw; refused when it is another by now.")]


def worklist(
    patient: Annotated[str | None, typer.Argument(metavar="PATIENT", help="ID@AUTHORITY; default: everybody.")] = None,
    *,
    role: Annotated[str, typer.Option(help="The worklist of this role (physician, nurse).")] = "",
    urgency: Annotated[Urgency, typer.Option(help="At least so urgent.")] = _IMPORTANT,
    acted: Annotated[bool, typer.Option("--all", help="Also what is acknowledged, snoozed or dismissed.")] = False,
    most: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    watch: Annotated[bool, typer.Option("--watch", help="Again whenever it is another, until interrupted.")] = False,
    json: Json = False,
) -> None:
    """Show what the rules see, the most urgent first, then the oldest; and which briefs and summaries are ready."""
    request = pb.ListConcernsRequest(
        patient=patient_key(patient) if patient else None,
        least=advice_pb2.Urgency.Value(urgency.name),
        acted=acted,
        role=role,
    )
    run(_watch(request, most) if watch else _worklist(request, most, as_json=json))


async def _worklist(request: pb.ListConcernsRequest, most: int, *, as_json: bool) -> bool:
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        listed = await reasoning.concerns(request, most)
        ready = await _ready(reasoning, request, most)
    if as_json:
        concerns, prepared = map(forms.concern, listed.concerns), map(forms.prepared, ready.prepared)
        print_json({"concerns": list(concerns), "hidden": listed.hidden, "prepared": list(prepared)})
    else:
        show(screen(), listed, datetime.now(UTC))
        show_ready(screen(), ready, datetime.now(UTC))
    return True


async def _ready(
    reasoning: ReasoningClient, request: pb.ListConcernsRequest, most: int
) -> prepared_pb2.ListPreparedResponse:
    return await reasoning.prepared(request.patient if request.HasField("patient") else None, most)


async def _watch(request: pb.ListConcernsRequest, most: int) -> bool:
    before: tuple[pb.ListConcernsResponse, prepared_pb2.ListPreparedResponse] | None = None
    console = screen()
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        while True:
            asked = pb.ListConcernsRequest()
            asked.CopyFrom(request)
            listed = await reasoning.concerns(asked, most), await _ready(reasoning, request, most)
            if listed != before:
                console.clear()
                show(console, listed[0], datetime.now(UTC))
                show_ready(console, listed[1], datetime.now(UTC))
                before = listed
            await asyncio.sleep(WATCH_SECONDS)


def show(console: Console, listed: pb.ListConcernsResponse, now: datetime) -> None:
    """Each concern as a block; those of one patient and cause under one heading, where the first of them stands."""
    groups: dict[tuple[str, str], list[pb.Concern]] = {}
    for each in listed.concerns:
        groups.setdefault((format_patient(each.patient), each.cause), []).append(each)
    for (patient, cause), concerns in groups.items():
        console.print(Text.assemble((patient, f"bold {ACCENT}"), "  ", cause), soft_wrap=True)
        for each in concerns:
            _show_one(console, each, now)
    if not listed.concerns:
        console.print(styled("nothing is open here", QUIET))
    if listed.hidden:
        many = "1 concern is" if listed.hidden == 1 else f"{listed.hidden} concerns are"
        console.print(styled(f"{many} not shown", QUIET))
    if listed.next_page_token:
        console.print(styled("there are more: --most", QUIET))


def show_ready(console: Console, ready: prepared_pb2.ListPreparedResponse, now: datetime) -> None:
    """`brief  1@NORTH  under way 2026-11-29 07:10  written 3 min ago`, the nearest visit first."""
    if ready.prepared:
        console.print(Text("ready", style="bold"))
    for each in ready.prepared:
        form = " for ".join(filter(None, (forms.name_of(Form, each.form), each.specialty)))
        occasion = forms.name_of(prepared_pb2.Occasion, each.occasion).replace("_", " ")
        visit = f"{occasion} {forms.time_text(each.at)[:16].replace('T', ' ')}"
        line = Text.assemble(f"  {form}  ", (format_patient(each.patient), f"bold {ACCENT}"), f"  {visit}")
        written = f"  written {age(now - each.made_at.ToDatetime(tzinfo=UTC))} ago"
        console.print(line.append(written, QUIET), soft_wrap=True)
    if ready.more:
        console.print(styled("there are more: --most", QUIET))


def _show_one(console: Console, concern: pb.Concern, now: datetime) -> None:
    urgency = forms.name_of(advice_pb2.Urgency, concern.urgency)
    mark = "!" if concern.interruptive else "·"
    since = age(now - concern.opened_at.ToDatetime(tzinfo=UTC))
    head = Text.assemble("  ", (f"{mark} {urgency}", _STYLES.get(concern.urgency, QUIET)), f"  {since}")
    console.print(head.append(f"  {concern.concern_id} revision {concern.revision}", QUIET), soft_wrap=True)
    console.print(Text(f"    {concern.text}"), soft_wrap=True)
    pointers = [source(forms.citation(each)) for each in concern.citations if each.fact_id]
    rests_on = "; ".join(dict.fromkeys(pointers))
    console.print(styled(f"    {concern.row}@{concern.version}: {rests_on}", QUIET), soft_wrap=True)
    if concern.drift:
        console.print(styled(f"    knowledge drifted: {concern.drift}", WARN), soft_wrap=True)
    if concern.HasField("act"):
        console.print(styled(f"    {_done(concern.act)}", QUIET), soft_wrap=True)


def _done(act: pb.ConcernAct) -> str:
    """`snoozed until 2026-12-01 08:00 by Dr A. Example: dialysis is arranged`."""
    words = {pb.CONCERN_ACTION_ACKNOWLEDGE: "acknowledged", pb.CONCERN_ACTION_DISMISS: "dismissed"}
    until = f"snoozed until {forms.time_text(act.until)[:16].replace('T', ' ')}"
    reason = f": {act.reason}" if act.reason else ""
    return f"{words.get(act.action, until)} by {act.by.name or act.by.subject}{reason}"


@app.command()
def acknowledge(identifier: Identifier, *, reason: Reason = "", revision: Revision = 0, json: Json = False) -> None:
    """You have seen it; it comes back when it changes."""
    run(_act(_request(identifier, pb.CONCERN_ACTION_ACKNOWLEDGE, reason, revision), as_json=json))


@app.command()
def snooze(
    identifier: Identifier,
    *,
    until: Annotated[str, typer.Option(help="Until this time, at most 30 days from now.")],
    reason: Reason = "",
    revision: Revision = 0,
    json: Json = False,
) -> None:
    """Not now: it comes back at a time, or when it changes."""
    request = _request(identifier, pb.CONCERN_ACTION_SNOOZE, reason, revision)
    request.until.CopyFrom(timestamp(moment(until)) or request.until)
    run(_act(request, as_json=json))


@app.command()
def dismiss(
    identifier: Identifier,
    *,
    reason: Annotated[str, typer.Option(help="Why it is no danger to this patient: 10 to 500 characters.")],
    revision: Revision = 0,
    json: Json = False,
) -> None:
    """It is no danger to this patient (physicians)."""
    run(_act(_request(identifier, pb.CONCERN_ACTION_DISMISS, reason, revision), as_json=json))


@app.command()
def reopen(identifier: Identifier, *, reason: Reason = "", revision: Revision = 0, json: Json = False) -> None:
    """Take back what was done."""
    run(_act(_request(identifier, pb.CONCERN_ACTION_REOPEN, reason, revision), as_json=json))


def _request(identifier: str, action: pb.ConcernAction.ValueType, reason: str, revision: int) -> pb.ActOnConcernRequest:
    return pb.ActOnConcernRequest(concern_id=identifier, action=action, reason=reason, revision=revision)


async def _act(request: pb.ActOnConcernRequest, *, as_json: bool) -> bool:
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        concern = await reasoning.act_on_concern(request)
    if as_json:
        print_json(forms.concern(concern))
    else:
        _show_one(screen(), concern, datetime.now(UTC))
    return True
