"""Who looked at a patient's record, or tried to: the looks of the log, each with the proof that it is in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from contracts.topics import IMAGING_RECORD_READ, REASONING_RECORD_READ, RECORD_READ
from longitude.auditing.v1.auditing_service_pb2 import Leaf
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.look_pb2 import Look

from client.api import AuditingClient
from client.errors import NotThereError, VerificationError
from client.forms import Form
from client.kafka import Kafka
from client.verify.event import ProvenLeaf, prove_event
from client.verify.note import VerifierKey

# Proofs that are asked for at the same time.
_TOGETHER = 8
_TOPICS = {topic.name: topic for topic in (RECORD_READ, REASONING_RECORD_READ, IMAGING_RECORD_READ)}
_OUTCOMES = {"0": "shown", "4": "failed", "8": "refused"}


async def proven(
    auditing: AuditingClient, patients: Sequence[PatientKey], limit: int, key: VerifierKey
) -> list[ProvenLeaf]:
    """The newest looks at these identifiers, newest first; VerificationError where one is not in the signed tree."""
    leaves = await auditing.looks(patients, limit)
    room = asyncio.Semaphore(_TOGETHER)

    async def prove(leaf: Leaf) -> ProvenLeaf:
        async with room:
            proof = await prove_event(auditing, leaf.event_id, key)
        if proof.leaf != leaf:
            raise VerificationError(f"leaf {leaf.index} is listed otherwise than it stands in the log")
        return proof

    return await asyncio.gather(*map(prove, leaves))


async def reason(leaf: Leaf, reader: Kafka) -> str:
    """The reason in the caller's words, which stands in the event alone; empty where Kafka has it no more.

    VerificationError when the record is not what was logged.
    """
    try:
        record = await reader.record(leaf.topic, leaf.partition, leaf.offset)
    except NotThereError:
        return ""
    if record.sha256 != leaf.payload_sha256:
        raise VerificationError(f"{leaf.topic}/{leaf.partition}/{leaf.offset} is not what leaf {leaf.index} logged")
    look: Look = _TOPICS[leaf.topic].payload.FromString(record.value).look
    return look.reason


def has_reason(leaf: Leaf) -> bool:
    """Whether the caller stated one."""
    return leaf.topic in _TOPICS and bool(form(leaf)["reason"])


def form(leaf: Leaf) -> Form:
    """A look as its leaf says it."""
    event: dict[str, Any] = json.loads(leaf.leaf_data)
    by_code = {agent["type"]["coding"][0]["code"]: agent for agent in event["agent"]}
    person = by_code.get("IRCP", {})
    details = {detail["type"]: detail["valueString"] for detail in event["entity"][0]["detail"]}
    return {
        "leaf": leaf.index,
        "event_id": leaf.event_id,
        "looked_at": event.get("period", {}).get("start", event["recorded"]),
        "outcome": _OUTCOMES[event["outcome"]],
        "status": details.get("status"),
        "issuer": person.get("who", {}).get("identifier", {}).get("system"),
        "subject": person.get("who", {}).get("identifier", {}).get("value"),
        "roles": [role["coding"][0]["code"] for role in person.get("role", ())],
        "purpose": next((use["coding"][0]["code"] for use in person.get("purposeOfUse", ())), None),
        "reason": details.get("reason"),
        "process": by_code.get("110152", {}).get("who", {}).get("identifier", {}).get("value"),
        "service": by_code.get("110153", {}).get("who", {}).get("identifier", {}).get("value"),
        "rpc": details.get("rpc"),
        "object_id": details.get("object-id"),
        "kinds": details.get("kinds", "").split(),
        "categories": details.get("categories", "").split(),
        "shown": int(details.get("shown", "0")),
        "left_out": int(details.get("left-out", "0")),
        "beyond": details.get("beyond"),
    }
