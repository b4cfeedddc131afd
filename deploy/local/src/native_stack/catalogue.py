"""Every part of the stack by name, in the order they are stopped backwards: servers, and whatever has a manifest."""

from pathlib import Path

from manifests import Services
from manifests.grants import COMMAND

from native_stack import authority, issuer, kafka, postgres, seaweedfs, services, triton, witness
from native_stack.part import Part, Site
from native_stack.ports import socket_name

_BUILDERS = {
    "issuer": issuer.part,
    "postgres": postgres.part,
    "objects": seaweedfs.part,
    "kafka": kafka.part,
    "triton": triton.part,
    witness.NAME: witness.part,
}
BACKENDS = tuple(_BUILDERS)
_SERVER_SOCKETS = {"KAFKA": "kafka", "OBJECTS": "objects", "TRITON": "triton", "TRITON_HTTP": "triton"}


def parts(known: Services) -> tuple[str, ...]:
    """The names of all parts."""
    return (*BACKENDS, *known)


def credentials(known: Services) -> tuple[str, ...]:
    """The names of the passwords and keys of a stack."""
    return (
        *seaweedfs.credentials(known),
        issuer.PASSWORD,
        *(f"postgres_{role}" for role in postgres.with_password(known)),
    )


def build(name: str, site: Site) -> Part:
    """The part of that name; KeyError if there is none."""
    if name in _BUILDERS:
        return _BUILDERS[name](site)
    return services.part(site.services[name], site)


def endpoints(site: Site) -> dict[str, str]:
    """What a client of the stack needs, as the lines of var/stack.env; only what runs."""
    sockets = {name.lower(): server for name, server in _SERVER_SOCKETS.items()}
    sockets |= {socket_name(name, socket): name for name, each in site.services.items() for socket in each.sockets}
    running = {key for key, part in sockets.items() if part in site.parts} | site.elsewhere.keys()
    lines = {f"LONGITUDE_{key.upper()}": site.address(key) for key in sockets if key in running}
    if "objects" in site.parts:
        lines |= seaweedfs.endpoints(site)
    if "postgres" in site.parts:
        roles = postgres.roles(site.services)
        lines |= {f"LONGITUDE_POSTGRES_{role.upper()}": postgres.dsn(site, role) for role in roles}
    if "issuer" in site.parts:
        lines |= {"LONGITUDE_ISSUER": issuer.url(site), "LONGITUDE_TOKEN_FILE": str(site.layout.token)}
        lines["LONGITUDE_LOGIN_PASSWORD"] = site.credentials[issuer.PASSWORD]
    if witness.NAME in site.parts and (key := witness.key(site)):
        lines["LONGITUDE_WITNESS_KEYS"] = key
    return lines | command_settings(site.certificates)


def issue(folder: Path, known: Services) -> None:
    """What each part, and the command, shows itself with; what is there and lasts is kept."""
    authority.issue(folder, (*parts(known), COMMAND))
    kafka.issue(folder, (*known, COMMAND))
    triton.issue(folder)


def command_settings(folder: Path) -> dict[str, str]:
    """What the command shows itself with, to every server."""
    identity = authority.settings(folder, COMMAND) | kafka.settings(folder, COMMAND)
    return identity | triton.operator_settings(folder)
