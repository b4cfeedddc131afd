"""Kafka in tests: through a fault proxy (a broker tells clients its own address), and without waiting for the dead."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import aiokafka.client
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest
from contracts.kafka import reaching

from testkit.proxy import FaultProxy


@contextmanager
def kafka_through(proxy: FaultProxy, kafka: str) -> Iterator[None]:
    """While inside, this process connects to the broker `host:port` through the proxy, whoever tells the address."""
    create, broker = aiokafka.client.create_conn, kafka.rpartition(":")[2]

    async def rerouted(host: str, port: int, *args: Any, **options: Any) -> Any:
        through = int(proxy.endpoint.rpartition(":")[2]) if str(port) == broker else port
        return await create(host, through, *args, **options)

    with patch.object(aiokafka.client, "create_conn", rerouted):
        yield


async def forget_members(kafka: str, group: str) -> None:
    """Take whoever is in a consumer group out of it, as the broker does six seconds after it last heard of them.

    For a group whose only process was killed: the next one need not wait.
    """
    admin = AIOKafkaAdminClient(**reaching(kafka))
    await admin.start()
    try:
        coordinator = await admin.find_coordinator(group)
        (answer,) = await admin.describe_consumer_groups([group], coordinator)
        members = [member for _, _, _, _, _, members, *_ in answer.groups for member, *_ in members]
        for member in members:
            await admin._client.send(coordinator, LeaveGroupRequest(group, member))  # noqa: SLF001 - no public door
    finally:
        await admin.close()
