"""Who may do what on Kafka: each service as its manifest says, its dead letters and its group; and the command."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from manifests.reading import Services
from manifests.service import EVERY_OTHER, Service
from manifests.topics import consumed

# Who calls for a person at a terminal: it reads every topic, and puts dead letters back.
COMMAND = "command"

Resource = Literal["topic", "group"]
Operation = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Grant:
    """`user` may do `operation` on what has this name; `*` is everything of its kind, `memory.*` all that begin so."""

    user: str
    resource: Resource
    name: str
    operation: Operation


def grants(services: Services) -> tuple[Grant, ...]:
    """All of them; what is not here is refused."""
    own = (grant for service in services.values() for grant in _of(service, services))
    return (*own, Grant(COMMAND, "topic", "*", "read"), Grant(COMMAND, "topic", "*", "write"))


def _of(service: Service, services: Services) -> Iterator[Grant]:
    for topic in service.events.publishes:
        yield Grant(service.name, "topic", topic, "write")
        yield Grant(service.name, "topic", topic, "read")
    if EVERY_OTHER in service.events.consumes:
        # Dead letters too, as they come.
        yield Grant(service.name, "topic", "*", "read")
    else:
        for topic in service.events.consumes:
            yield Grant(service.name, "topic", topic, "read")
    for topic in consumed(service, services):
        yield Grant(service.name, "topic", f"dlq.{service.name}.{topic}", "write")
    yield Grant(service.name, "group", service.name, "read")
    yield Grant(service.name, "group", f"{service.name}.*", "read")


def rows(services: Services) -> str:
    """grants.yaml: one line a user, resource and operation, for who sets up a broker."""
    lines = [
        f"  - {{user: {g.user}, resource: {g.resource}, name: '{g.name}', operation: {g.operation}}}"
        for g in grants(services)
    ]
    return "\n".join(["grants:", *lines]) + "\n"
