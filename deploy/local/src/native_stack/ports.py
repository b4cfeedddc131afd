"""Which loopback port each socket of the stack listens on.

The order of preference: the port this stack had before, the field's own, a free one. Free ports are drawn below the
kernel's ephemeral range, so that no outgoing connection can take one between the choice and the server's start.
"""

import random
import socket
from collections.abc import Mapping

from manifests import Services

HOST = "127.0.0.1"
_FREE_RANGE = range(20_000, 32_000)

_SERVERS: Mapping[str, int] = {
    "kafka": 9092,
    "kafka_inside": 9094,
    "kafka_controller": 9093,
    "postgres": 5432,
    "objects": 8333,
    "triton_http": 8000,
    "triton": 8001,
    "triton_metrics": 8002,
    "issuer": 9080,
    "witness": 9081,
}
INTERNAL = (
    "objects_grpc",
    "objects_iceberg",
    "objects_lance",
    "objects_iam",
    "master",
    "master_grpc",
    "volume",
    "volume_grpc",
    "filer",
    "filer_grpc",
)


def socket_name(service: str, protocol: str) -> str:
    """What a socket of a service is called among all: a service's own name is its gRPC."""
    return {"grpc": service, "http": f"{service}_http"}.get(protocol, protocol)


def defaults(services: Services) -> dict[str, int]:
    """The field's own port of each socket that clients know."""
    own = {
        socket_name(name, protocol): port
        for name, service in services.items()
        for protocol, port in service.sockets.items()
    }
    return {**_SERVERS, **own}


def choose(before: Mapping[str, int], usual: Mapping[str, int], *, only_free: bool) -> dict[str, int]:
    """A port for every socket, no two alike and none of them taken at this moment."""
    chosen: dict[str, int] = {}
    for name in (*usual, *INTERNAL):
        wanted = [before[name]] if name in before else []
        if not only_free and name in usual:
            wanted.append(usual[name])
        chosen[name] = _first_available(wanted, taken=set(chosen.values()))
    return chosen


def _first_available(wanted: list[int], taken: set[int]) -> int:
    candidates = [*wanted, *random.sample(_FREE_RANGE, 200)]
    for port in candidates:
        if port not in taken and _bindable(port):
            return port
    raise OSError("no free loopback port found between 20000 and 32000")


def _bindable(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
