"""What the handlers work with; put together in `app.py`."""

import asyncio
from dataclasses import dataclass

from eventbus import Outbox

from learning.adapters.objects import Objects
from learning.adapters.postgres import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """Every outside thing, each behind its adapter."""

    store: Store
    objects: Objects
    outbox: Outbox
    # Bucket of the episodes.
    episodes: str
    pseudonym_key: bytes
    # Set when something may be deleted, and when a job was queued or stopped.
    sweep: asyncio.Event
    jobs: asyncio.Event
