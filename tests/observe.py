"""What a person outside can see of the running system, as values that tests compare."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import grpc
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from contracts.kafka import reaching
from longitude.auditing.v1 import auditing_service_pb2, auditing_service_pb2_grpc
from longitude.memory.v1 import memory_service_pb2, memory_service_pb2_grpc
from longitude.reasoning.v1 import concern_pb2, reasoning_service_pb2_grpc
from longitude.record.v1.fact_pb2 import ClinicalFact, PatientKey
from manifests import read_services
from manifests.service import EVERY_OTHER
from psycopg import sql
from testkit.calls import open_channel
from testkit.running import RunningStack

# What each consumer group reads; who reads everything is the log, which keeps its own place.
READS = {
    service.name: service.events.consumes
    for service in read_services().values()
    if service.events.consumes and EVERY_OTHER not in service.events.consumes
}
# Who keeps events in an outbox until they are published.
PUBLISHES = [each.name for each in read_services().values() if each.owns.tables and each.events.publishes]

# How many of these there are depends on what came together: looks, and what records that were looked at together said.
_BY_CHANCE = ("RecordRead", "ConcernOpened", "ConcernChanged", "ConcernResolved")
_UNREAD = "SELECT count(*) FROM reasoning.watched_patient WHERE read_at IS NULL OR wanted_at > read_at"

# What one telling of the story leaves behind when every event has had its effect.
Facts = Counter[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Observer:
    """Eyes on one running stack."""

    stack: RunningStack

    @property
    def endpoints(self) -> dict[str, str]:
        """`LONGITUDE_<NAME>` to address."""
        return self.stack.endpoints

    def facts(self, patient: PatientKey) -> Facts:
        """Every statement of the timeline without its ids and times of recording; empty for an unknown patient."""
        with open_channel(self.endpoints["LONGITUDE_MEMORY"]) as channel:
            memory = memory_service_pb2_grpc.MemoryServiceStub(channel)
            request = memory_service_pb2.GetTimelineRequest(patient=patient, include_superseded=True, page_size=10_000)
            try:
                answer = memory.GetTimeline(request, timeout=20)
            except grpc.RpcError as error:
                if error.code() in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE}:
                    return Counter()
                raise
        return Counter(_content(recorded.fact) for recorded in answer.facts)

    def waiting(self) -> int:
        """Records that the consumers of this stack have yet to bring to an end."""
        here = [name for name in READS if f"LONGITUDE_{name.upper()}" in self.endpoints]
        return asyncio.run(_waiting(self.endpoints["LONGITUDE_KAFKA"], here))

    def at_rest(self) -> Counter[str]:
        """The log's leaves by event type, once every event has had its effect and stands in the log.

        Who has handled everything, and has nothing left to publish, causes no event any more.
        """
        until(lambda: self.waiting() == self.unread() == self.unpublished() == 0, "every event handled", within_s=240)
        return self.logged()

    def unpublished(self) -> int:
        """Events that are stored with their effect and not yet published."""
        return sum(self._unpublished(service) for service in PUBLISHES)

    def unread(self) -> int:
        """Records that changed and were not looked at for dangers yet."""
        with psycopg.connect(self.endpoints["LONGITUDE_POSTGRES_REASONING"]) as connection:
            row = connection.execute(_UNREAD).fetchone()
        assert row is not None
        return int(row[0])

    def concerns(self, patient: PatientKey) -> set[tuple[Any, ...]]:
        """What is open of a patient, without ids and times."""
        with open_channel(self.endpoints["LONGITUDE_REASONING"]) as channel:
            reasoning = reasoning_service_pb2_grpc.ReasoningServiceStub(channel)
            request = concern_pb2.ListConcernsRequest(patient=patient, acted=True, page_size=100)
            answer = reasoning.ListConcerns(request, timeout=20)
        return {(each.row, each.subject, each.urgency, *each.supports) for each in answer.concerns}

    def _unpublished(self, service: str) -> int:
        outbox = sql.SQL("SELECT count(*) FROM {}.outbox WHERE published_at IS NULL").format(sql.Identifier(service))
        with psycopg.connect(self.endpoints[f"LONGITUDE_POSTGRES_{service.upper()}"]) as connection:
            row = connection.execute(outbox).fetchone()
        assert row is not None
        return int(row[0])

    def logged(self) -> Counter[str]:
        """The same, once every record that the broker holds now is a leaf under the published checkpoint."""
        until(self.log_is_whole, "every record in the log")
        return self.leaves()

    def log_is_whole(self) -> bool:
        with open_channel(self.endpoints["LONGITUDE_AUDITING"]) as channel:
            auditing = auditing_service_pb2_grpc.AuditingServiceStub(channel)
            counts = auditing.GetCompleteness(auditing_service_pb2.GetCompletenessRequest(), timeout=60).partitions
            note = auditing.GetCheckpoint(auditing_service_pb2.GetCheckpointRequest(), timeout=60).note
        recorded = sum(count.recorded_to - count.duplicates - count.missing for count in counts)
        return all(c.recorded_to == c.end_offset for c in counts) and int(note.split("\n")[1]) == recorded

    def leaves(self) -> Counter[str]:
        """How many leaves of each event type the audit log has, but of what is so many by chance."""
        with open_channel(self.endpoints["LONGITUDE_AUDITING"]) as channel:
            auditing = auditing_service_pb2_grpc.AuditingServiceStub(channel)
            stream = auditing.ReadLeaves(auditing_service_pb2.ReadLeavesRequest(), timeout=60)
            types = (response.leaf.event_type.rpartition(".")[2] for response in stream)
            return Counter(each for each in types if each not in _BY_CHANCE)

    def command(self, *arguments: str, timeout_s: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run `longitude` as a person would, with a memory of its own for what it trusts."""
        return subprocess.run(
            [sys.executable, "-m", "client", *arguments],
            env=os.environ | self.endpoints | {"XDG_STATE_HOME": str(self.stack.directory)},
            cwd=self.stack.directory,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """The JSON that `longitude ... --json` prints; AssertionError with its words when it fails."""
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, f"longitude {arguments[0]}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)


async def _waiting(bootstrap: str, groups: Iterable[str]) -> int:
    admin = AIOKafkaAdminClient(**reaching(bootstrap))
    consumer = AIOKafkaConsumer(**reaching(bootstrap))
    await admin.start()
    await consumer.start()
    try:
        waiting = 0
        for group in groups:
            topics = READS[group]
            committed = await admin.list_consumer_group_offsets(group)
            partitions = [
                TopicPartition(described["topic"], partition["partition"])
                for described in await admin.describe_topics(list(topics))
                for partition in described["partitions"]
            ]
            ends = await consumer.end_offsets(partitions)
            waiting += sum(end - (committed[p].offset if p in committed else 0) for p, end in ends.items())
        return waiting
    finally:
        await consumer.stop()
        await admin.close()


def _content(fact: ClinicalFact) -> tuple[str, ...]:
    value = fact.WhichOneof("value")
    return (
        str(fact.kind),
        fact.code.code,
        str(getattr(fact, value)) if value else "",
        str(fact.valid_from.ToJsonString()),
        str(fact.valid_to.ToJsonString()) if fact.HasField("valid_to") else "",
        str(fact.status),
        str(fact.assertion),
        fact.source.segment,
        fact.source.field,
    )


def until(holds: Callable[[], bool], what: str, *, within_s: float = 120.0) -> None:
    """Wait until it holds; AssertionError naming it when it does not."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(0.25)
