"""The topics of the manifests, and their making on a broker.

Each consumer of a topic gets its dead-letter topic beside the topic it reads.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from manifests import Services
from manifests.service import Retention
from manifests.topics import DEAD_LETTERS, topics

# The largest record that the event bus sends (libs/eventbus); a broker's own default is 1 MiB.
MAX_RECORD_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """One topic as a broker is told of it. `retention_ms` is -1 for ever."""

    name: str
    partitions: int
    retention_ms: int


def topics_of(services: Services) -> tuple[TopicSettings, ...]:
    """Every topic, followed by the dead-letter topics of its consumers."""
    known = topics(services)
    events = [_settings(topic.name, topic.retention) for topic in known]
    dead = [_settings(f"dlq.{reader}.{topic.name}", DEAD_LETTERS) for topic in known for reader in topic.consumers]
    return (*events, *dead)


def _settings(name: str, retention: Retention) -> TopicSettings:
    return TopicSettings(name, retention.partitions, retention.retention_ms)


async def create_topics(broker: Mapping[str, Any], topics: tuple[TopicSettings, ...]) -> None:
    """Return once every topic is there and consumer groups are served; waits for the broker to come up.

    `broker` is how aiokafka reaches it.
    """
    admin = await connected(broker)
    try:
        await _create_missing(admin, topics)
        await _until_groups_are_served(admin)
    finally:
        await admin.close()


async def connected(broker: Mapping[str, Any]) -> AIOKafkaAdminClient:
    """A client, as soon as the broker answers; close it."""
    host, _, port = broker["bootstrap_servers"].rpartition(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        admin = AIOKafkaAdminClient(**broker)
        try:
            await admin.start()
        except KafkaError:
            await admin.close()
            await asyncio.sleep(0.1)
        else:
            return admin


async def _create_missing(admin: AIOKafkaAdminClient, topics: tuple[TopicSettings, ...]) -> None:
    missing = [_new_topic(topic) for topic in topics]
    while missing:
        answer = await admin.create_topics(missing)
        failed = {name for name, code, *_ in answer.topic_errors if not _made(code)}
        missing = [topic for topic in missing if topic.name in failed]
        await asyncio.sleep(0.1 if missing else 0)


def _new_topic(topic: TopicSettings) -> NewTopic:
    configuration = {"retention.ms": str(topic.retention_ms), "max.message.bytes": str(MAX_RECORD_BYTES)}
    return NewTopic(topic.name, topic.partitions, replication_factor=1, topic_configs=configuration)


def _made(code: int) -> bool:
    error = for_code(code)
    if code == 0 or error is TopicAlreadyExistsError:
        return True
    if not error.retriable:
        raise error
    return False


async def _until_groups_are_served(admin: AIOKafkaAdminClient) -> None:
    """The first look-up of a coordinator makes the offsets topic; it fails until that is done."""
    while True:
        try:
            await admin.find_coordinator("native-stack")
        except KafkaError:
            await asyncio.sleep(0.1)
        else:
            return
