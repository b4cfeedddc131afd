"""How events move: at least once on the wire, exactly once in effect.

A consumer does: effect and inbox row in one transaction, publish what follows, commit the offset. A command does:
effect and outbox rows in one transaction; the outbox publishes.
"""

from eventbus.bus import EventBus
from eventbus.events import Event, Outgoing
from eventbus.inbox import once, once_each, stage
from eventbus.outbox import Outbox

__all__ = ["Event", "EventBus", "Outbox", "Outgoing", "once", "once_each", "stage"]
