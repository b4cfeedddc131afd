"""Who may do what in which bucket: who owns it reads and writes it, who calls it reads it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from manifests.reading import Services
from manifests.service import Service


@dataclass(frozen=True, slots=True)
class Access:
    """`user` may do `operation` in the bucket; writing is deleting too, and never making or configuring it."""

    user: str
    bucket: str
    operation: Literal["read", "write"]


def access(services: Services) -> tuple[Access, ...]:
    """All of it; what is not here is refused."""
    return tuple(one for service in services.values() for one in _of(service))


def _of(service: Service) -> Iterator[Access]:
    for bucket in service.owns.buckets:
        yield Access(service.name, bucket, "read")
        yield Access(service.name, bucket, "write")
    for bucket in service.calls.buckets:
        yield Access(service.name, bucket, "read")


def rows(services: Services) -> str:
    """buckets.yaml: one line a user, bucket and operation, for who sets up a store."""
    lines = [f"  - {{user: {a.user}, bucket: {a.bucket}, operation: {a.operation}}}" for a in access(services)]
    return "\n".join(["access:", *lines]) + "\n"
