"""The one place that translates aiokafka's errors: a Kafka that is away or late is an UnavailableError."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError
from contracts.errors import UnavailableError


@asynccontextmanager
async def reaching_kafka(within_s: float) -> AsyncIterator[None]:
    """Around a call of aiokafka, which has so many seconds."""
    try:
        async with asyncio.timeout(within_s):
            yield
    except (KafkaError, OSError, TimeoutError) as error:
        raise UnavailableError(f"kafka cannot be reached ({type(error).__name__}); ask again") from error
