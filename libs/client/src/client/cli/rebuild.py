"""`longitude rebuild`: everything that was received is read again, and a new edition of the record is made of it."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from longitude.ingestion.v1.ingestion_service_pb2 import GetRereadingResponse
from longitude.memory.v1.memory_service_pb2 import Edition

from client import stack
from client.api import IngestionClient, MemoryClient
from client.cli.session import Json, print_json, run, screen


def rebuild(
    *,
    reason: Annotated[str, typer.Option(help="Why everything is read again.")] = "another reader",
    by: Annotated[str, typer.Option(help="Who has it read; by default the user of this machine.")] = "",
    status: Annotated[bool, typer.Option("--status", help="Start nothing; say how far the last one is.")] = False,
    json: Json = False,
) -> None:
    """Read again everything that was received, by the reader of now, into a new edition of the record.

    The record answers as before until the new edition is whole; what was known at an earlier time stays reproducible.
    """
    run(_status(as_json=json) if status else _rebuild(by or getpass.getuser(), reason, as_json=json))


async def _rebuild(by: str, reason: str, *, as_json: bool) -> bool:
    async with IngestionClient.connect(stack.find().endpoint("ingestion")) as ingestion:
        rereading_id = await ingestion.start_rereading(by, reason)
    if as_json:
        print_json({"rereading_id": rereading_id})
    else:
        screen().print(f"started: {rereading_id}; see how far it is with: longitude rebuild --status", markup=False)
    return True


async def _status(*, as_json: bool) -> bool:
    where = stack.find()
    async with IngestionClient.connect(where.endpoint("ingestion")) as ingestion:
        last = await ingestion.last_rereading()
    async with MemoryClient.connect(where.endpoint("memory")) as memory:
        editions = await memory.editions()
    if as_json:
        print_json({"rereading": _form(last) if last.rereading_id else None, "editions": [*map(_form, editions)]})
        return True
    for line in _page(last, editions):
        screen().print(line, markup=False)
    return True


def _form(message: GetRereadingResponse | Edition) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def _page(last: GetRereadingResponse, editions: list[Edition]) -> list[str]:
    if not last.rereading_id:
        return ["nothing was ever read again; the record is edition 0"]
    state = "all read again" if last.finished else "being read again"
    started = last.started_at.ToJsonString()
    lines = [f"{last.rereading_id}: {last.messages} messages {state}, started {started} by {last.started_by}"]
    for edition in editions:
        since = f"current from {edition.current_from.ToJsonString()}" if edition.HasField("current_from") else "is made"
        lines.append(f"edition {edition.edition}: {edition.messages} messages, {edition.refused} refused, {since}")
    return lines
