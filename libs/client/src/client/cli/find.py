"""`longitude find`: what a patient's record has about some things."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import FactKind
from rich.table import Table

from client import forms, stack
from client.api import MemoryClient
from client.api.memory import timestamp
from client.cli.opening import notice
from client.cli.page import QUIET, day, pointer, row, styled, table
from client.cli.session import Json, Patient, moment, patient_key, print_json, run, screen
from client.cli.timeline import says, when
from client.states import organism

_PREFIX = "FACT_KIND_"
Kind = StrEnum(  # type: ignore[misc]
    "Kind", {name: name.removeprefix(_PREFIX).lower() for name, value in FactKind.items() if value}
)


def find(  # noqa: PLR0913 - each is an option of the command
    patient: Patient,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="What it is about, as a person says it: `potassium`, `statins`, `kidneys`."),
    ] = None,
    *,
    kind: Annotated[list[Kind] | None, typer.Option(help="Of these kinds only.")] = None,
    since: Annotated[str | None, typer.Option(help="Known to hold since this time or later.")] = None,
    until: Annotated[str | None, typer.Option(help="At this time or before.")] = None,
    known_at: Annotated[str | None, typer.Option(help="What the record knew at this time; default: now.")] = None,
    first: Annotated[bool, typer.Option("--first", help="Of each thing the first.")] = False,
    latest: Annotated[bool, typer.Option("--latest", help="Of each thing the latest.")] = False,
    highest: Annotated[bool, typer.Option("--highest", help="Of each thing the highest value.")] = False,
    lowest: Annotated[bool, typer.Option("--lowest", help="Of each thing the lowest value.")] = False,
    json: Json = False,
) -> None:
    """Show what the record has about something; exit code 1 where it has nothing."""
    asked = {
        pb.FIND_FORM_EARLIEST: first,
        pb.FIND_FORM_LATEST: latest,
        pb.FIND_FORM_HIGHEST: highest,
        pb.FIND_FORM_LOWEST: lowest,
    }
    wanted = [form for form, is_asked in asked.items() if is_asked]
    if len(wanted) > 1:
        raise typer.BadParameter("only one of --first, --latest, --highest and --lowest")
    request = pb.FindRequest(
        patient=patient_key(patient),
        words=" ".join(words or ()),
        kinds=[FactKind.Value(each.name) for each in kind or ()],
        form=wanted[0] if wanted else pb.FIND_FORM_UNSPECIFIED,
        since=timestamp(moment(since)),
        until=timestamp(moment(until)),
        known_at=timestamp(moment(known_at)),
    )
    run(_find(request, as_json=json))


async def _find(request: pb.FindRequest, *, as_json: bool) -> bool:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        facts = await memory.find(request)
    notice(memory.view)
    if as_json:
        print_json([forms.fact(each) for each in facts])
    else:
        screen().print(page(facts))
    return bool(facts)


def page(facts: Sequence[RecordedFact]) -> Table:
    """One line for each."""
    made = table(f"{len(facts)} found", "kind", "what", "says", "from", "to", "source")
    for recorded in facts:
        fact = recorded.fact
        name = fact.code.display or fact.code.code
        kind = FactKind.Name(fact.kind).removeprefix(_PREFIX).lower().replace("_", " ")
        end = forms.time_text(fact.valid_to) if fact.HasField("valid_to") and fact.valid_to != fact.valid_from else None
        what = ", ".join(filter(None, (name, organism(fact))))
        row(made, styled(kind, QUIET), what, says(fact), when(fact), day(end), styled(pointer(fact.source), QUIET))
    return made
