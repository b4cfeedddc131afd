"""One leaf against its own content and against the record that it speaks of."""

from __future__ import annotations

from typing import Any

from longitude.auditing.v1.auditing_service_pb2 import Leaf

from client.errors import VerificationError
from client.records import RawRecord
from client.verify.canonical_json import parse_canonical


def check_leaf(leaf: Leaf) -> None:
    """VerificationError unless the leaf's data is a canonical AuditEvent that says what the leaf's fields say.

    Only the data is hashed into the tree: fields beside it that differ would be a lie about it.
    """
    claimed = {
        "event": leaf.event_id,
        "topic": leaf.topic,
        "partition": str(leaf.partition),
        "offset": str(leaf.offset),
        "sha256": leaf.payload_sha256.hex(),
        "causation-id": leaf.causation_id,
        "signature": leaf.signature,
        "signed-by": leaf.signer,
    }
    if _said(parse_canonical(leaf.leaf_data)) != claimed:
        raise VerificationError(f"leaf {leaf.index} says other things than its AuditEvent")


def check_record(leaf: Leaf, record: RawRecord) -> None:
    """VerificationError unless the leaf is about this record and the record's value has the logged hash."""
    if (leaf.topic, leaf.partition, leaf.offset) != record.place or leaf.event_id != record.event_id:
        raise VerificationError(f"leaf {leaf.index} is about another record")
    if leaf.payload_sha256 != record.sha256:
        raise VerificationError(f"leaf {leaf.index}: the record's payload was altered after it was logged")


def _said(event: Any) -> dict[str, str]:
    try:
        entity = event["entity"][0]
        details = {detail["type"]: detail["valueString"] for detail in entity["detail"]}
        wanted = ("topic", "partition", "offset", "sha256")
        may_be = ("causation-id", "signature", "signed-by")
        said = {name: details[name] for name in wanted} | {name: details.get(name, "") for name in may_be}
        return said | {"event": entity["what"]["identifier"]["value"]}
    except (KeyError, IndexError, TypeError):
        raise VerificationError("a leaf is not an AuditEvent of this log") from None
