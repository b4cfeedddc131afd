"""Signs a draft order as a clinical system would, and reads the cards that come back (CDS Hooks 2.0, order-sign)."""

import asyncio
import json
import ssl
import urllib.request
import uuid
from typing import Any

from client import people
from client.errors import ClientError
from client.stack import Stack
from contracts.identifiers import format_patient
from longitude.record.v1.fact_pb2 import PatientKey

from demo.stages import Say

DRUG = "Amoxicillin 1 g"
_SERVICE = "/cds-services/longitude-order-sign"
_SECONDS = 20

Card = dict[str, Any]


async def sign(stack: Stack, patient: PatientKey, say: Say) -> list[Card]:
    """The cards; ClientError where the door does not answer, or refuses."""
    cards = await asyncio.to_thread(_cards, stack, patient)
    say(f"{DRUG}: {', '.join(each['indicator'] for each in cards) or 'no card'}")
    return cards


def _cards(stack: Stack, patient: PatientKey) -> list[Card]:
    concept = {"text": DRUG}
    draft = {
        "resourceType": "MedicationRequest",
        "id": "draft",
        "status": "draft",
        "medicationCodeableConcept": concept,
    }
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]}
    context = {"userId": "Practitioner/demo", "patientId": format_patient(patient), "draftOrders": bundle}
    form = {"hook": "order-sign", "hookInstance": str(uuid.uuid4()), "context": context}
    asked = urllib.request.Request(
        f"https://{stack.endpoint('https')}{_SERVICE}",
        json.dumps(form).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {people.bearer(stack.variables)}"},
    )
    trust = ssl.create_default_context(cafile=stack.variables["LONGITUDE_TLS_AUTHORITY"])
    try:
        with urllib.request.urlopen(asked, timeout=_SECONDS, context=trust) as answer:  # noqa: S310 - as above
            return list(json.load(answer)["cards"])
    except OSError as error:
        raise ClientError(f"gateway: {error}") from None
