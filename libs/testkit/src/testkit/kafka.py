"""Kafka through a fault proxy: a broker tells clients its own address, so that the bootstrap address is not enough."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import aiokafka.client

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
