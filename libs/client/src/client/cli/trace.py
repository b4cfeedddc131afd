"""`longitude trace`: an event and everything that followed from it, as the log has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from longitude.auditing.v1.auditing_service_pb2 import Leaf
from rich.tree import Tree

from client import forms, kafka, remarks, stack
from client.api import AuditingClient
from client.cli.page import ACCENT, BAD, QUIET, WARN
from client.cli.session import Json, print_json, run, screen
from client.errors import UnreachableError
from client.records import DEAD_LETTERS
from client.remarks import Remarks
from client.terminal import Text


def trace(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="Event id, MSH-10 control id, document, image or assessment.")
    ],
    *,
    json: Json = False,
) -> None:
    """Follow one message, image or assessment through the platform."""
    run(_trace(identifier, as_json=json))


async def _trace(identifier: str, *, as_json: bool) -> bool:
    where = stack.find()
    async with AuditingClient.connect(where.endpoint("auditing")) as auditing:
        leaves = await auditing.trace(identifier)
    noted = await _remarks(leaves, where)
    if as_json:
        print_json([forms.leaf(leaf) | {"remarks": noted.get(leaf.index, [])} for leaf in leaves])
        return True
    console = screen()
    console.print(tree_of(identifier, leaves, noted))
    console.print(f"[{QUIET}]{len(leaves)} events; prove one with: longitude audit prove EVENT_ID[/]")
    return True


async def _remarks(leaves: Sequence[Leaf], where: stack.Stack) -> Remarks:
    """The log is shown without Kafka too: then nobody knows what was remarked."""
    try:
        async with kafka.connect(where.endpoint("kafka")) as reader:
            return await remarks.of_leaves(leaves, reader)
    except UnreachableError:
        return {leaf.index: None for leaf in leaves if leaf.topic in remarks.REMARKED}


def tree_of(identifier: str, leaves: Sequence[Leaf], noted: Remarks) -> Tree:
    """Events under the event that caused them; those whose cause is not shown stand at the top."""
    root = Tree(Text(identifier, style="bold"))
    branches: dict[str, Tree] = {}
    for leaf in leaves:
        branches[leaf.event_id] = branches.get(leaf.causation_id, root).add(_line(leaf, noted.get(leaf.index, [])))
    return root


def _line(leaf: Leaf, noted: Sequence[forms.Form] | None) -> Text:
    style = BAD if leaf.topic.startswith(DEAD_LETTERS) else ACCENT
    place = f" {leaf.partition}/{leaf.offset} · leaf {leaf.index}\n"
    recorded = forms.leaf(leaf)["recorded"]
    shown = Text.assemble((leaf.topic, style), (place, QUIET), leaf.event_id, (f" {recorded}", QUIET))
    if noted is None:
        return shown.append("\nits remarks are in Kafka, which has it no more or does not answer", QUIET)
    for remark in noted:
        where = " ".join(filter(None, (remark["segment"], remark["field"]))) or "message"
        shown.append(f"\n{where}: ", WARN).append(remark["reason"])
    return shown
