"""Tells memory of a patient as ingestion would, with every service running, and waits for what comes of it."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from contracts.identifiers import event_id, patient_partition_key
from contracts.topics import MESSAGE_RECEIVED
from eventbus import Outgoing
from longitude.ingestion.v1.events_pb2 import MessageHeader, MessageReceived, PatientIdentity
from longitude.record.v1.fact_pb2 import IdentityLink
from practice.records import RecordBuilder

from testkit.running import RunningStack
from testkit.signing import publishing

Condition = Callable[[], Awaitable[Any]]


def message(record: RecordBuilder, *links: IdentityLink) -> Outgoing:
    """What the builder has as one message, which empties it."""
    name = str(uuid.uuid4())
    for each in record.facts:
        each.fact.fact_id = each.fact.fact_id if "-" in each.fact.fact_id else event_id("fact", name, each.fact.fact_id)
    payload = MessageReceived(
        header=MessageHeader(control_id=name[:8]),
        patient=PatientIdentity(key=record.patient),
        facts=[each.fact for each in record.facts],
        links=links,
    )
    record.facts.clear()
    return Outgoing(MESSAGE_RECEIVED, name, patient_partition_key(record.patient), payload, datetime.now(UTC))


async def send(running: RunningStack, *messages: Outgoing) -> None:
    """In this order."""
    async with publishing(running.endpoints["LONGITUDE_KAFKA"]) as publish:
        for each in messages:
            await publish(each)


async def until(condition: Condition, within_s: float = 30.0) -> Any:
    """The first answer that holds; TimeoutError."""
    async with asyncio.timeout(within_s):
        while True:
            answer = await condition()
            if answer:
                return answer
            await asyncio.sleep(0.1)
