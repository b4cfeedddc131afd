"""The topics of the platform: who publishes, who reads, and what a broker is told of each.

Each consumer of a topic has a dead-letter topic `dlq.<consumer>.<topic>` beside it.
"""

from dataclasses import dataclass

from manifests.reading import Services
from manifests.service import EVERY_OTHER, Retention, Service

DEAD_LETTERS = Retention(partitions=1)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic with its readers."""

    name: str
    retention: Retention
    consumers: tuple[str, ...]


def topics(services: Services) -> tuple[Topic, ...]:
    """Every event topic, those of one owner together."""
    return tuple(
        Topic(name, retention, tuple(reader.name for reader in services.values() if name in consumed(reader, services)))
        for owner in services.values()
        for name, retention in owner.events.publishes.items()
    )


def consumed(service: Service, services: Services) -> tuple[str, ...]:
    """The topics that it reads; `*` is every topic of the others."""
    if EVERY_OTHER not in service.events.consumes:
        return service.events.consumes
    return tuple(topic for owner in services.values() if owner is not service for topic in owner.events.publishes)


def rows(services: Services) -> str:
    """topics.yaml: one line a topic, which deploy/compose/topics.sh reads line by line."""
    lines = [f"dead_letters: {{{_told(DEAD_LETTERS)}}}", "", "topics:"]
    lines += [
        f"  - {{name: {topic.name}, {_told(topic.retention)}, consumers: [{', '.join(topic.consumers)}]}}"
        for topic in topics(services)
    ]
    return "\n".join(lines) + "\n"


def _told(retention: Retention) -> str:
    return f"partitions: {retention.partitions}, retention_ms: {retention.retention_ms}"
