"""Reads every service.toml of a folder; an error names the file and the key, and nothing wrong is let through."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from manifests.service import EVERY_OTHER, SERVERS, Service

REPOSITORY = Path(__file__).resolve().parents[4]
FILE = "service.toml"
Services = Mapping[str, Service]
_SCHEMA = TypeAdapter(Service)


class ManifestError(Exception):
    """A manifest cannot be used; the text has a line `file: key: reason` for each thing that is wrong."""


def read_services(folder: Path = REPOSITORY / "services") -> Services:
    """Every service by name, in the order of names."""
    services = {path.parent.name: _read(path) for path in sorted(folder.glob(f"*/{FILE}"))}
    if wrong := [f"{folder / name / FILE}: {key}: {reason}" for name, key, reason in _disagreements(services)]:
        raise ManifestError("\n".join(wrong))
    return services


def _read(path: Path) -> Service:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        if "name" in document:
            raise ManifestError(f"{path}: name: the folder's name is the service's")
        return _SCHEMA.validate_python(document | {"name": path.parent.name})
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path}: {error}") from None
    except ValidationError as error:
        wrong = (f"{path}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ManifestError("\n".join(wrong)) from None


def _disagreements(services: Services) -> Iterator[tuple[str, str, str]]:
    """What no file shows alone: service, key, reason."""
    ports = Counter(port for service in services.values() for port in service.sockets.values())
    names = Counter([*SERVERS, *services, *(socket for service in services.values() for socket in service.feeds)])
    for name, service in services.items():
        for socket, port in service.sockets.items():
            # A service's own name is that of its gRPC.
            if ports[port] > 1 or names[name if socket == "grpc" else socket] > 1:
                yield name, f"sockets.{socket}", "this port or this name is taken twice"
        for topic in service.events.publishes:
            if topic.partition(".")[0] != name:
                yield name, f"events.publishes.{topic}", "the first word of a topic is the service that publishes it"
        yield from ((name, key, reason) for key, reason in _unknown(service, services))


def _unknown(service: Service, services: Services) -> Iterator[tuple[str, str]]:
    """What it names and nobody has: key, reason."""
    topics = {topic for owner in services.values() for topic in owner.events.publishes}
    buckets = {bucket for owner in services.values() for bucket in owner.owns.buckets}
    for topic in sorted(set(service.events.consumes) - topics - {EVERY_OTHER}):
        yield "events.consumes", f"nobody publishes {topic}"
    for callee in sorted(service.calls.services.keys() - services.keys()):
        yield f"calls.services.{callee}", "there is no such service"
    for bucket in sorted(set(service.calls.buckets) - buckets):
        yield "calls.buckets", f"nobody owns {bucket}"
