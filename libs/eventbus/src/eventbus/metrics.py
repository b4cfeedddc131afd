"""What the bus counts. Labels name topics and outcomes, never patients."""

from prometheus_client import Counter, Histogram

HANDLED = Counter("eventbus_handled_total", "Records handled", ["consumer", "topic", "outcome"])
RETRIED = Counter("eventbus_retried_total", "Attempts that ended in a transient error", ["consumer", "topic"])
PUBLISHED = Counter("eventbus_published_total", "Events acknowledged by the broker", ["topic"])
SECONDS = Histogram("eventbus_handling_seconds", "Time from taking a record to its last publish", ["consumer", "topic"])
