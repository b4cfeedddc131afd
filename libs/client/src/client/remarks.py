"""What ingestion remarked about what came: place and reason, read from the events themselves, never a value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contracts.topics import MESSAGE_RECEIVED, MESSAGE_REJECTED, STUDY_RECEIVED
from longitude.auditing.v1.auditing_service_pb2 import Leaf
from longitude.ingestion.v1.events_pb2 import MessageReceived, MessageRejected, Remark, StudyReceived

from client.errors import NotThereError, VerificationError
from client.forms import Form
from client.kafka import Kafka
from client.records import RawRecord

REMARKED = frozenset({MESSAGE_RECEIVED.name, MESSAGE_REJECTED.name, STUDY_RECEIVED.name})
MOST_LEAVES = 100

Remarks = dict[int, list[Form] | None]


async def of_leaves(leaves: Sequence[Leaf], reader: Kafka) -> Remarks:
    """The remarks of the first hundred messages and instances among leaves, by index; None where Kafka has it no more.

    VerificationError when a record is not what was logged.
    """
    wanted = [leaf for leaf in leaves if leaf.topic in REMARKED][:MOST_LEAVES]
    return {leaf.index: await _of_leaf(leaf, reader) for leaf in wanted}


async def _of_leaf(leaf: Leaf, reader: Kafka) -> list[Form] | None:
    try:
        record = await reader.record(leaf.topic, leaf.partition, leaf.offset)
    except NotThereError:
        return None
    if record.sha256 != leaf.payload_sha256:
        raise VerificationError(f"{leaf.topic}/{leaf.partition}/{leaf.offset} is not what leaf {leaf.index} logged")
    return of_record(record)


def of_record(record: RawRecord) -> list[Form]:
    """Segment, field and reason of each remark; of what was refused, where and why."""
    if record.topic == MESSAGE_RECEIVED.name:
        return _forms(MessageReceived.FromString(record.value).remarks)
    if record.topic == STUDY_RECEIVED.name:
        return _forms(StudyReceived.FromString(record.value).remarks)
    rejected = MessageRejected.FromString(record.value)
    code = f"{rejected.acknowledgement_code} {rejected.condition_code}".strip()
    return [{"segment": rejected.location, "field": "", "reason": f"refused, {code}: {rejected.reason}"}]


def _forms(remarks: Iterable[Remark]) -> list[Form]:
    return [{"segment": one.segment, "field": one.field, "reason": one.reason} for one in remarks]
