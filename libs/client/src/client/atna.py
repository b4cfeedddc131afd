"""A look as audit repositories take it: a DICOM audit message in a syslog frame.

The message is "Patient Record" (110110) of DICOM PS3.15 A.5.3, in XML by the schema of A.5.1; header and framing follow
A.6: RFC 5424 with facility 10, severity 5 or 4 and MSGID `DICOM+RFC3881`, each message behind its length in octets
(RFC 5425 section 4.3), so that what is printed can be sent over TLS as it is. What would act on a terminal is written
as its number.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from longitude.auditing.v1.auditing_service_pb2 import Leaf

from client.terminal import visible

_DCM = {"110152": "Destination Role ID", "110153": "Source Role ID"}
# Facility 10 (security), severity 5 (notice) where it was shown, 4 (warning) where not.
_SHOWN, _NOT_SHOWN = 10 * 8 + 5, 10 * 8 + 4
_BOM = "\ufeff"


def frame(leaf: Leaf) -> bytes:
    """One octet-counted syslog message; the patient is the log's pseudonym."""
    event = json.loads(leaf.leaf_data)
    header = f"<{_SHOWN if event['outcome'] == '0' else _NOT_SHOWN}>1 {event['recorded']} - longitude-auditing"
    message = f"{header} {leaf.index} DICOM+RFC3881 - {_BOM}".encode() + _xml(event)
    return f"{len(message)} ".encode() + message


def _xml(event: dict[str, Any]) -> bytes:
    root = Element("AuditMessage")
    moment = {"EventDateTime": event.get("period", {}).get("start", event["recorded"])}
    about = {"EventActionCode": event["action"], "EventOutcomeIndicator": event["outcome"]} | moment
    identification = SubElement(root, "EventIdentification", about)
    _code(identification, "EventID", "110110", "DCM", "Patient Record")
    for subtype in event["subtype"]:
        _code(identification, "EventTypeCode", subtype["code"], subtype["system"], subtype["code"])
    for agent in event["agent"]:
        _participant(root, agent)
    SubElement(root, "AuditSourceIdentification", {"AuditSourceID": "auditing"})
    for entity in event["entity"]:
        _object(root, entity)
    return visible(tostring(root, encoding="utf-8", xml_declaration=True).decode()).encode()


def _participant(root: Element, agent: dict[str, Any]) -> None:
    who = agent["who"]["identifier"]
    requestor = "true" if agent["requestor"] else "false"
    attributes = {"UserID": who["value"], "AlternativeUserID": who["system"], "UserIsRequestor": requestor}
    participant = SubElement(root, "ActiveParticipant", attributes)
    for role in [agent["type"], *agent.get("role", ())]:
        for coding in role["coding"]:
            code = coding["code"]
            system = "DCM" if code in _DCM else coding["system"]
            _code(participant, "RoleIDCode", code, system, _DCM.get(code, code))


def _object(root: Element, entity: dict[str, Any]) -> None:
    is_patient = entity["type"]["code"] == "1"
    attributes = {
        "ParticipantObjectID": entity["what"]["identifier"]["value"],
        "ParticipantObjectTypeCode": entity["type"]["code"],
        "ParticipantObjectTypeCodeRole": entity["role"]["code"],
    }
    thing = SubElement(root, "ParticipantObjectIdentification", attributes)
    if is_patient:
        _code(thing, "ParticipantObjectIDTypeCode", "2", "RFC-3881", "Patient Number")
    else:
        _code(thing, "ParticipantObjectIDTypeCode", "event", "urn:longitude", "event id")
    for detail in entity.get("detail", ()):
        value = base64.b64encode(detail["valueString"].encode()).decode()
        SubElement(thing, "ParticipantObjectDetail", {"type": detail["type"], "value": value})


def _code(parent: Element, name: str, code: str, system: str, text: str) -> None:
    SubElement(parent, name, {"csd-code": code, "codeSystemName": system, "originalText": text})
