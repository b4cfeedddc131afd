"""Who may do what on the stack's broker, asked of the broker itself."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from contracts.kafka import KafkaAccess
from contracts.topics import MESSAGE_RECEIVED, RECORD_UPDATED
from native_stack import Stack, authority
from native_stack import kafka as broker

OWN, OTHERS = RECORD_UPDATED.name, MESSAGE_RECEIVED.name


@pytest.fixture(scope="module")
def bootstrap(new_stack: Callable[..., Stack]) -> str:
    return new_stack(parts=("kafka",)).endpoints()["LONGITUDE_KAFKA"]


def shown(folder: Path, user: str, **instead: str) -> Mapping[str, str]:
    authority.issue(folder, [user])
    return authority.settings(folder, user) | broker.settings(folder, user) | instead


async def publish(bootstrap: str, variables: Mapping[str, str], topic: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **KafkaAccess.of(variables).options())
    try:
        await producer.start()
        await producer.send_and_wait(topic, b"forged")
    finally:
        await producer.stop()


async def test_a_service_publishes_to_its_own_topics_and_to_no_others(bootstrap: str, certificates: Path) -> None:
    memory = shown(certificates, "memory")
    await publish(bootstrap, memory, OWN)
    await publish(bootstrap, memory, f"dlq.memory.{OTHERS}")
    for topic in (OTHERS, f"dlq.auditing.{OTHERS}"):
        with pytest.raises(TopicAuthorizationFailedError):
            await publish(bootstrap, memory, topic)


async def test_a_service_reads_what_it_consumes_in_its_own_group_alone(bootstrap: str, certificates: Path) -> None:
    access = KafkaAccess.of(shown(certificates, "memory")).options()
    async with AIOKafkaConsumer(OTHERS, bootstrap_servers=bootstrap, group_id="memory", **access) as consumer:
        assert consumer.assignment()
    with pytest.raises(GroupAuthorizationFailedError):
        async with AIOKafkaConsumer(OTHERS, bootstrap_servers=bootstrap, group_id="auditing", **access):
            pass


async def test_nobody_comes_in_without_password_or_certificate(
    bootstrap: str, certificates: Path, tmp_path: Path
) -> None:
    authority.issue(tmp_path / "other", ["memory"])
    strange = authority.settings(tmp_path / "other", "memory")
    known = authority.settings(certificates, "memory")
    for variables in (
        shown(certificates, "memory", LONGITUDE_KAFKA_PASSWORD="guessed"),
        shown(certificates, "memory", LONGITUDE_KAFKA_USER=""),
        shown(certificates, "memory", LONGITUDE_PLAINTEXT="true"),
        shown(certificates, "memory", **strange | {"LONGITUDE_TLS_AUTHORITY": known["LONGITUDE_TLS_AUTHORITY"]}),
    ):
        with pytest.raises(KafkaError):
            await publish(bootstrap, variables, OWN)
