"""`longitude trace`: an event and everything that followed from it, as the log has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from longitude.auditing.v1.auditing_service_pb2 import Leaf
from rich.tree import Tree

from client import forms, stack
from client.api import AuditingClient
from client.cli.page import ACCENT, BAD, QUIET
from client.cli.session import Json, print_json, run, screen
from client.records import DEAD_LETTERS
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
    async with AuditingClient.connect(stack.find().endpoint("auditing")) as auditing:
        leaves = await auditing.trace(identifier)
    if as_json:
        print_json([forms.leaf(leaf) for leaf in leaves])
        return True
    console = screen()
    console.print(tree_of(identifier, leaves))
    console.print(f"[{QUIET}]{len(leaves)} events; prove one with: longitude audit prove EVENT_ID[/]")
    return True


def tree_of(identifier: str, leaves: Sequence[Leaf]) -> Tree:
    """Events under the event that caused them; those whose cause is not shown stand at the top."""
    root = Tree(Text(identifier, style="bold"))
    branches: dict[str, Tree] = {}
    for leaf in leaves:
        branches[leaf.event_id] = branches.get(leaf.causation_id, root).add(_line(leaf))
    return root


def _line(leaf: Leaf) -> Text:
    style = BAD if leaf.topic.startswith(DEAD_LETTERS) else ACCENT
    place = f" {leaf.partition}/{leaf.offset} · leaf {leaf.index}\n"
    recorded = forms.leaf(leaf)["recorded"]
    return Text.assemble((leaf.topic, style), (place, QUIET), leaf.event_id, (f" {recorded}", QUIET))
