"""The services, each `python -m <name>` with what its manifest asks for as LONGITUDE_* variables."""

import asyncio
import sys
from functools import partial

import psycopg
from manifests import REPOSITORY, Service, Wiring, environment

from native_stack import authority, issuer, kafka, postgres, seaweedfs, witness
from native_stack.layout import MODELS, base_model
from native_stack.part import Command, Part, PartError, Site, inherited_environment, until_http_ok
from native_stack.ports import socket_name

# What is known of each feed; ingestion reads it at its start.
FEEDS = REPOSITORY / "deploy/feeds.toml"
# Qdrant's engine runs inside the process that needs it.
_IN_PROCESS = {"qdrant"}


def part(service: Service, site: Site) -> Part:
    """One service as the supervisor starts it; it is ready when its /readyz says so."""
    name, needs = service.name, tuple(need for need in service.needs if need not in _IN_PROCESS)
    ready = partial(until_http_ok, f"http://{site.address(socket_name(name, 'http'))}/readyz")
    # Longer than a service gives the requests under way (LONGITUDE_SHUTDOWN_GRACE, 20 s).
    return Part(name, partial(_prepare, service, site), until_ready=ready, needs=needs, grace_s=25)


async def _prepare(service: Service, site: Site) -> Command:
    folder = site.layout.data(service.name)
    folder.mkdir(parents=True, exist_ok=True)
    if service.owns.tables:
        await asyncio.to_thread(_migrate, service, site)
    return Command((sys.executable, "-m", service.name), inherited_environment() | settings(service, site), folder)


def _migrate(service: Service, site: Site) -> None:
    """As the owner of its tables, who is not the service."""
    from servicekit.migrations import MigrationError, migrate  # noqa: PLC0415 - a second, which the command does not need

    try:
        migrate(postgres.dsn(site, service.name), service.name, service.name, service.role)
    except (psycopg.Error, MigrationError) as error:
        raise PartError(f"its tables cannot be brought up to date: {error}") from error


def settings(service: Service, site: Site) -> dict[str, str]:
    """What the environment of a service says; it needs nothing else to start."""
    local = {"LONGITUDE_TRACE_FILE": str(site.layout.trace(service.name))}
    # The models are for a trainer, which a service starts with its own environment.
    local |= {"LONGITUDE_MODELS_DIR": str(MODELS), "LONGITUDE_BASE_MODEL": base_model()}
    local |= {"LONGITUDE_ISSUER": issuer.url(site), "LONGITUDE_REFLECTION": "true"}
    if witness.NAME in site.parts:
        # For auditing; the others have no use for it.
        local["LONGITUDE_WITNESSES"] = witness.url(site)
    tls = authority.settings(site.certificates, service.name) | kafka.settings(site.certificates, service.name)
    return environment(service, _wiring(service, site)) | local | tls


def _wiring(service: Service, site: Site) -> Wiring:
    data, tokenizer = site.layout.data(service.name), MODELS / base_model() / "tokenizer.json"
    backends = {
        "kafka": {"KAFKA": site.address("kafka")},
        "qdrant": {"QDRANT": f"edge:{data}/vectors"},
        "triton": {"TRITON": site.address("triton")},
    }
    if "objects" in service.needs:
        backends["objects"] = {"OBJECTS": site.address("objects")} | seaweedfs.settings(site, service.name)
    if service.owns.tables:
        backends["postgres"] = {"POSTGRES": postgres.dsn(site, service.role)}
    return Wiring(
        backends=backends,
        addresses={callee: site.address(callee) for callee in service.calls.services},
        listen={socket: site.address(socket_name(service.name, socket)) for socket in service.sockets},
        places={"keys": str(data), "feeds": str(FEEDS)} | ({"tokenizer": str(tokenizer)} if tokenizer.exists() else {}),
    )
