"""The one place that translates aiokafka's errors.

A Kafka that is away or late is an UnavailableError; a record that it will never take is a PermanentError.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError
from contracts.errors import PermanentError, UnavailableError

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError)


@asynccontextmanager
async def reaching_kafka(within_s: float) -> AsyncIterator[None]:
    """Around a call of aiokafka, which has so many seconds."""
    try:
        async with asyncio.timeout(within_s):
            yield
    except _TOO_LARGE as error:
        raise PermanentError("record-too-large") from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise UnavailableError(f"kafka cannot be reached ({type(error).__name__}); ask again") from error
