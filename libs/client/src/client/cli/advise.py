"""`longitude advise`: what rules and rows say of a patient, and of drugs that are to be ordered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from longitude.reasoning.v1.advice_pb2 import AdviceFinding, AdviseResponse, ProposedOrder, Urgency
from longitude.record.v1.fact_pb2 import PatientKey
from rich.console import Console
from rich.padding import Padding

from client import forms, stack
from client.api import ReasoningClient
from client.cli.page import BAD, QUIET, WARN, source
from client.cli.session import Json, Patient, patient_key, print_json, run, screen
from client.terminal import Text

_STYLE = {
    Urgency.URGENCY_CONTRAINDICATED: BAD,
    Urgency.URGENCY_URGENT: BAD,
    Urgency.URGENCY_IMPORTANT: WARN,
    Urgency.URGENCY_ROUTINE: QUIET,
}


def advise(
    patient: Patient,
    *,
    drug: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="To be ordered; several times for more.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what speaks against drugs before they are ordered; without any, what is said of the record as it stands.

    Exit code 1 where a drug is not known: of it only allergies of the same name were looked for.
    """
    run(_advise(patient_key(patient), drug or [], as_json=json))


def orders(drugs: Iterable[str]) -> list[ProposedOrder]:
    """Each drug once, under its own name."""
    return [ProposedOrder(order_id=name, text=name) for name in dict.fromkeys(drugs)]


async def _advise(patient: PatientKey, drugs: list[str], *, as_json: bool) -> bool:
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        given = await reasoning.advise(patient, orders(drugs))
    if as_json:
        print_json(forms.advice(patient, given))
    else:
        show(screen(), given)
    return all(each.drugs for each in given.orders)


def show(console: Console, given: AdviseResponse) -> None:
    """The most urgent first, those about a proposed drug before the others; then what could not be looked at."""
    for each in given.findings:
        _show(console, each)
    if not given.findings:
        console.print(Text("Nothing speaks.", style=QUIET))
    unread = [each.order_id for each in given.orders if not each.drugs]
    missing = [
        f"{name} is no drug that the rows know; only allergies of the same name were looked for" for name in unread
    ]
    for line in (*missing, *given.degraded):
        console.print(Text.assemble(("incomplete: ", WARN), line))
    if given.withheld:
        console.print(Text(f"{len(given.withheld)} withheld by the gate (--json shows them)", style=QUIET))


def _show(console: Console, one: AdviceFinding) -> None:
    urgency = forms.name_of(Urgency, one.urgency)
    about = f" ({', '.join(one.order_ids)})" if one.order_ids else ""
    console.print(Text.assemble((f"{urgency}{about}: ", _STYLE.get(one.urgency, WARN)), one.statement.text))
    cited = dict.fromkeys(source(forms.citation(each)) for each in one.statement.citations if each.fact_id)
    document = ", ".join(filter(None, (one.source.title, one.source.section, str(one.source.year or ""))))
    told = [one.statement.row or one.statement.author_name, document, *cited]
    if one.words and one.words not in one.statement.text:
        told.insert(0, one.words)
    console.print(Padding(Text(" · ".join(told), style=QUIET), (0, 0, 0, 2)))
