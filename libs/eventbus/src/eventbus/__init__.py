"""How events move: at least once on the wire, exactly once in effect.

A consumer does: effect and inbox row in one transaction, publish what follows, commit the offset.
"""

from eventbus.bus import EventBus
from eventbus.errors import PermanentError, TransientError
from eventbus.events import Event, Outgoing
from eventbus.inbox import mark_published, once, stage, unpublished

__all__ = [
    "Event",
    "EventBus",
    "Outgoing",
    "PermanentError",
    "TransientError",
    "mark_published",
    "once",
    "stage",
    "unpublished",
]
