"""What a service says of itself in its service.toml: a closed schema of frozen records.

What follows from it is not said twice: the servers that a service needs follow from what it owns and calls, and its
variables from those (`wiring.py`). A socket's name is its protocol.
"""

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

# Where deployments keep things differently: the reasoner's tokenizer.json, keys that are this service's alone, and the
# file of what is known of each feed.
PLACES = ("tokenizer", "keys", "feeds")
EVERY_OTHER = "*"
# The servers that a service may need.
SERVERS = ("kafka", "postgres", "objects", "qdrant", "triton")
_CLOSED = ConfigDict(extra="forbid")


def _with_grpc_and_http(sockets: dict[str, int]) -> dict[str, int]:
    if missing := {"grpc", "http"} - sockets.keys():
        raise ValueError(f"every service has {' and '.join(sorted(missing))}")
    return sockets


def _of_known_places(text: str) -> str:
    if unknown := set(re.findall(r"{(.*?)}", text)) - set(PLACES):
        raise ValueError(f"{{{unknown.pop()}}} is no place; places are {', '.join(PLACES)}")
    return text


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Port = Annotated[int, Field(ge=1024, le=65535)]
TopicName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z-]*\.v[0-9]+$")]
Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
Method = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]*$")]
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Memory = Annotated[str, Field(pattern=r"^[0-9]+[MG]i$")]
Positive = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, config=_CLOSED)
class Retention:
    """What a broker is told of a topic; -1 keeps its records for ever."""

    partitions: Positive
    retention_ms: Annotated[int, Field(ge=-1)] = -1


@dataclass(frozen=True, config=_CLOSED)
class Events:
    """Topics out and in; `consumes = ["*"]` is every topic of the others."""

    publishes: dict[TopicName, Retention] = field(default_factory=dict)
    consumes: tuple[Annotated[str, Field(pattern=r"^\*$")] | TopicName, ...] = ()


@dataclass(frozen=True, config=_CLOSED)
class Owns:
    """What this service alone writes; `tables` are those of the schema with its name."""

    tables: bool = False
    buckets: tuple[Bucket, ...] = ()
    vectors: tuple[Name, ...] = ()


@dataclass(frozen=True, config=_CLOSED)
class Calls:
    """What it asks: RPC methods of services, models on Triton, and buckets of others that it reads."""

    services: dict[Name, tuple[Method, ...]] = field(default_factory=dict)
    models: tuple[Name, ...] = ()
    buckets: tuple[Bucket, ...] = ()


@dataclass(frozen=True, config=_CLOSED)
class Runs:
    """How it runs on a cluster. With `most = 1` there is never a second one, not even while it is replaced."""

    replicas: Positive
    most: Positive
    cpu: Annotated[str, Field(pattern=r"^[0-9]+m?$")]
    memory: Memory
    memory_limit: Memory
    # What it gets to end what is under way.
    grace_seconds: Annotated[int, Field(ge=20, le=610)] = 45


@dataclass(frozen=True, config=_CLOSED)
class Service:
    """One service; `name` is that of its folder."""

    name: Name
    sockets: Annotated[dict[Name, Port], AfterValidator(_with_grpc_and_http)]
    runs: Runs
    events: Events = field(default_factory=Events)
    owns: Owns = field(default_factory=Owns)
    calls: Calls = field(default_factory=Calls)
    # Further LONGITUDE_<NAME>, everywhere and on a cluster.
    settings: dict[Variable, Annotated[str, AfterValidator(_of_known_places)]] = field(default_factory=dict)
    cluster_settings: dict[Variable, str] = field(default_factory=dict)

    @property
    def feeds(self) -> dict[str, int]:
        """The sockets for strangers: all but gRPC and HTTP."""
        return {name: port for name, port in self.sockets.items() if name not in {"grpc", "http"}}

    @property
    def role(self) -> str:
        """Who it is to PostgreSQL. The role with its own name owns its tables, and is in no environment of it."""
        return f"{self.name}_service"

    @property
    def needs(self) -> tuple[str, ...]:
        """The servers that it talks to."""
        return tuple(self._needs())

    def _needs(self) -> Iterator[str]:
        yield "kafka"
        if self.owns.tables:
            yield "postgres"
        if self.owns.buckets or self.calls.buckets:
            yield "objects"
        if self.owns.vectors:
            yield "qdrant"
        if self.calls.models:
            yield "triton"

    def uses(self, place: str) -> bool:
        """Whether a setting of it names this place."""
        return any(f"{{{place}}}" in text for text in self.settings.values())
