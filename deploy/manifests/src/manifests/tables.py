"""The tables of services/README.md: events, RPCs, models, and who owns what."""

from collections.abc import Iterable

from manifests.reading import Services
from manifests.service import Service
from manifests.topics import topics


def events(services: Services) -> str:
    """Topics and their readers; a topic without one is for those downstream."""
    rows = (
        f"| `{topic.name}` | {', '.join(topic.consumers) or 'downstream consumers'} |" for topic in topics(services)
    )
    return _table("topic | consumed by", rows)


def calls(services: Services) -> str:
    """Which service asks which, and with which methods."""
    rows = (
        f"| {service.name} | {callee} | {', '.join(methods)} |"
        for service in services.values()
        for callee, methods in service.calls.services.items()
    )
    return _table("caller | callee | methods", rows)


def owners(services: Services) -> str:
    """What each service alone writes, and the models and buckets of others that it uses."""
    heads = "service | tables (schema) | buckets | vectors | Triton models | reads the buckets"
    return _table(heads, (_owner(service) for service in services.values()))


def _owner(service: Service) -> str:
    tables = (service.name,) if service.owns.tables else ()
    used = (service.calls.models, service.calls.buckets)
    cells = (tables, service.owns.buckets, service.owns.vectors, *used)
    return f"| {service.name} | {' | '.join(', '.join(f'`{name}`' for name in cell) for cell in cells)} |"


def _table(heads: str, rows: Iterable[str]) -> str:
    return "\n".join([f"| {heads} |", "|---" * (heads.count("|") + 1) + "|", *rows]) + "\n"
