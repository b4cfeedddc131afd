"""`longitude context`: the part of the record that a question would be answered from."""

from __future__ import annotations

from typing import Annotated

import typer

from client import forms, stack
from client.api import MemoryClient
from client.cli.opening import notice
from client.cli.page import QUIET, row, styled, table
from client.cli.session import Json, Patient, patient_key, print_json, run, screen


def context(
    patient: Patient,
    *,
    question: Annotated[str, typer.Option(help="What the pack is to serve.")],
    budget: Annotated[int, typer.Option(min=1, help="At most so many tokens of the reasoner's tokenizer.")] = 1024,
    json: Json = False,
) -> None:
    """Show the context pack of a question: each line with the fact or passage that it rests on."""
    run(_context(patient, question, budget, as_json=json))


async def _context(patient: str, question: str, budget: int, *, as_json: bool) -> bool:
    key = patient_key(patient)
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        pack = await memory.context(key, question, budget)
    notice(memory.view)
    if as_json:
        print_json(forms.context(pack, budget))
        return pack.tokens <= budget
    console = screen()
    page = table(f"{pack.tokens} of {budget} tokens; {pack.omitted} facts did not fit", ">tokens", "line", "rests on")
    for line in pack.lines:
        row(page, str(line.tokens), line.text, styled(line.passage_id or line.fact_id[:8], QUIET))
    console.print(page)
    return pack.tokens <= budget
