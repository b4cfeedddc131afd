"""`longitude file`: a person says whose image it is that came without a patient id."""

from __future__ import annotations

from typing import Annotated

import typer

from client import stack
from client.api import IngestionClient
from client.cli.session import Json, Patient, patient_key, print_json, run, screen


def file(
    sop_uid: Annotated[str, typer.Argument(metavar="SOP_UID", help="SOP Instance UID of the image.")],
    patient: Patient,
    *,
    by: Annotated[str, typer.Option(help="Who says so.")],
    reason: Annotated[str, typer.Option(help="How it is known.")],
    json: Json = False,
) -> None:
    """File an image that came without a patient id under a patient. Said again, it is the same event."""
    run(_file(sop_uid, patient, by, reason, as_json=json))


async def _file(sop_uid: str, patient: str, by: str, reason: str, *, as_json: bool) -> bool:
    key = patient_key(patient)
    async with IngestionClient.connect(stack.find().endpoint("ingestion")) as ingestion:
        event_id = await ingestion.file_instance(sop_uid, key, by, reason)
    if as_json:
        print_json({"event_id": event_id})
    else:
        screen().print(f"filed; prove it with: longitude audit prove {event_id}", markup=False)
    return True
