"""Which loopback port each socket of the stack listens on.

The order of preference: the port this stack had before, the field's own, a free one. Free ports are drawn below the
kernel's ephemeral range, so that no outgoing connection can take one between the choice and the server's start.
"""

import random
import socket
from collections.abc import Mapping

HOST = "127.0.0.1"
_FREE_RANGE = range(20_000, 32_000)

FIELD_DEFAULTS: Mapping[str, int] = {
    "mllp": 2575,
    "dicom": 11112,
    "kafka": 9092,
    "kafka_controller": 9093,
    "postgres": 5432,
    "objects": 8333,
    "triton_http": 8000,
    "triton": 8001,
    "triton_metrics": 8002,
    "ingestion": 50051,
    "memory": 50052,
    "reasoning": 50053,
    "imaging": 50054,
    "auditing": 50055,
    "ingestion_http": 8081,
    "memory_http": 8082,
    "reasoning_http": 8083,
    "imaging_http": 8084,
    "auditing_http": 8085,
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


def choose(before: Mapping[str, int], *, only_free: bool) -> dict[str, int]:
    """A port for every socket, no two alike and none of them taken at this moment."""
    chosen: dict[str, int] = {}
    for name in (*FIELD_DEFAULTS, *INTERNAL):
        wanted = [before[name]] if name in before else []
        if not only_free and name in FIELD_DEFAULTS:
            wanted.append(FIELD_DEFAULTS[name])
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
