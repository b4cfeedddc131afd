"""The parts of a leaf that say who looked at whose record, why and through what: BALP's PatientRead in form.

IHE ITI Basic Audit Log Patterns 1.1.3, profile PatientRead: action R, agents client, server and user (information
recipient, with roles and purpose), entities data and patient. Its codes describe RESTful calls, and a look knows no
network address, so the profile is not claimed. The reason in the caller's words stays in the event.
"""

from __future__ import annotations

from longitude.record.v1.fact_pb2 import FactKind
from longitude.record.v1.look_pb2 import LOOK_OUTCOME_REFUSED, LOOK_OUTCOME_SHOWN, Look

from auditing.domain.canonical_json import Json

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
# AuditEvent.outcome: success, minor failure (nothing was shown), serious failure (somebody was refused).
_OUTCOMES = {LOOK_OUTCOME_SHOWN: "0", LOOK_OUTCOME_REFUSED: "8"}
_KIND = "FACT_KIND_"


def outcome(look: Look) -> str:
    """AuditEvent.outcome."""
    return _OUTCOMES.get(look.outcome, "4")


def agents(look: Look, server: str) -> list[Json]:
    """The process that called, the service that answered, and the person."""
    who: list[Json] = [
        {
            "type": {"coding": [{"system": _DCM, "code": "110152"}]},
            "who": {"identifier": {"system": "urn:longitude:process", "value": look.process or "unknown"}},
            "requestor": not look.subject,
        },
        {
            "type": {"coding": [{"system": _DCM, "code": "110153"}]},
            "who": {"identifier": {"system": "urn:longitude:service", "value": server}},
            "requestor": False,
        },
    ]
    if look.subject:
        person: dict[str, Json] = {
            "type": {"coding": [{"system": f"{_TERMINOLOGY}v3-ParticipationType", "code": "IRCP"}]},
            "who": {"identifier": {"system": look.issuer, "value": look.subject}},
            "requestor": True,
        }
        if look.roles:
            person["role"] = [{"coding": [{"system": "urn:longitude:role", "code": role}]} for role in look.roles]
        if look.purpose:
            person["purposeOfUse"] = [{"coding": [{"system": f"{_TERMINOLOGY}v3-ActReason", "code": look.purpose}]}]
        who.append(person)
    return who


def details(look: Look) -> dict[str, str]:
    """What was asked and how much was shown, by name; empty values are left out of a leaf."""
    kinds = sorted(FactKind.Name(kind).removeprefix(_KIND).lower() for kind in look.kinds)
    return {
        "rpc": look.rpc,
        "status": look.status,
        "object-id": look.object_id,
        "kinds": " ".join(kinds),
        "categories": " ".join(look.categories),
        "shown": str(look.shown) if look.outcome == LOOK_OUTCOME_SHOWN else "",
        "left-out": str(look.left_out) if look.left_out else "",
        "beyond": f"{look.beyond_patients} patients in {look.within_s} s" if look.beyond_patients else "",
        "reason": "stated in the event" if look.reason else "",
    }
