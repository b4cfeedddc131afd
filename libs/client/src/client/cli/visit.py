"""`longitude brief`, `summary` and `note`: what is written of a whole record, statement by statement like an answer."""

from __future__ import annotations

from typing import Annotated

import typer
from longitude.reasoning.v1.assessment_pb2 import Form

from client.cli.answer import Page
from client.cli.ask import Asking
from client.cli.session import Json, Patient, patient_key, run, screen

RequestId = Annotated[str, typer.Option(help="The same id gives the same assessment again.")]
More = Annotated[bool, typer.Option("--more", help="Unfold everything, with its sources.")]


def brief(patient: Patient, *, request_id: RequestId = "", more: More = False, json: Json = False) -> None:
    """Prepare a visit: what is new, problems with values and drugs, medication, gaps, and what to ask."""
    _write(patient, f"Visit preparation: {patient}", request_id, Form.FORM_BRIEF, more=more, json=json)


def summary(
    patient: Patient,
    specialty: Annotated[str, typer.Option("--for", metavar="SPECIALTY", help="cardiology, nephrology ...")],
    *,
    request_id: RequestId = "",
    more: More = False,
    json: Json = False,
) -> None:
    """A specialty's view: its problems, values, drugs, procedures and letters, and the rest in few lines."""
    title = f"Summary for {specialty}: {patient}"
    _write(patient, title, request_id, Form.FORM_SUMMARY, specialty, more=more, json=json)


def note(patient: Patient, *, request_id: RequestId = "", more: More = False, json: Json = False) -> None:
    """Begin a note (SOAP): what the record knows, and blanks for what only the physician can fill in."""
    _write(patient, f"Note: {patient}", request_id, Form.FORM_NOTE, more=more, json=json)


def _write(
    patient: str,
    title: str,
    request_id: str,
    form: Form.ValueType,
    specialty: str = "",
    *,
    more: bool,
    json: bool,
) -> None:
    asking = Asking(patient_key(patient), "", request_id, form=form, specialty=specialty)
    run(asking.run(None if json else Page(screen(), title, more=more)))
