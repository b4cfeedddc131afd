"""The five services, each `python -m <name>` with its settings as LONGITUDE_* variables."""

import sys
from functools import partial

from native_stack import postgres
from native_stack.layout import MODELS
from native_stack.part import Command, Part, Site, inherited_environment, until_http_ok

NEEDS = {
    "ingestion": ("kafka", "objects"),
    "memory": ("kafka", "postgres", "objects", "triton"),
    "imaging": ("kafka", "postgres", "objects", "triton"),
    "reasoning": ("kafka", "postgres", "objects", "triton"),
    "auditing": ("kafka", "postgres", "objects"),
}
# What one service is told beside the rest; {data} is its own folder.
_OWN = {
    "memory": {"QDRANT": "edge:{data}/vectors"},
    "auditing": {"SIGNING_KEY_FILE": "{data}/signing.key", "PSEUDONYM_KEY_FILE": "{data}/pseudonym.key"},
}


def part(name: str, site: Site) -> Part:
    """One service as the supervisor starts it; it is ready when its /readyz says so."""
    ready = partial(until_http_ok, f"http://{site.address(f'{name}_http')}/readyz")
    # Longer than a service gives the requests under way (LONGITUDE_SHUTDOWN_GRACE, 20 s).
    return Part(name, partial(_prepare, name, site), until_ready=ready, needs=NEEDS[name], grace_s=25)


async def _prepare(name: str, site: Site) -> Command:
    folder = site.layout.data(name)
    folder.mkdir(parents=True, exist_ok=True)
    environment = inherited_environment() | settings(name, site)
    return Command((sys.executable, "-m", name), environment, folder)


def settings(name: str, site: Site) -> dict[str, str]:
    """What the environment of a service says; it needs nothing else to start."""
    values = {
        "KAFKA": site.address("kafka"),
        "HTTP_LISTEN": site.address(f"{name}_http"),
        "GRPC_LISTEN": site.address(name),
        "TRACE_FILE": str(site.layout.trace(name)),
        "TRITON": site.address("triton"),
        "MEMORY": site.address("memory"),
        "IMAGING": site.address("imaging"),
        "OBJECTS": site.address("objects"),
        "OBJECTS_ACCESS_KEY": site.credentials["objects_access_key"],
        "OBJECTS_SECRET_KEY": site.credentials["objects_secret_key"],
        "MLLP_LISTEN": site.address("mllp"),
        "DICOM_LISTEN": site.address("dicom"),
    }
    values |= {key: text.format(data=site.layout.data(name)) for key, text in _OWN.get(name, {}).items()}
    if (tokenizer := MODELS / "smollm2" / "tokenizer.json").exists():
        values["TOKENIZER"] = str(tokenizer)
    if name in postgres.OWNERS:
        values["POSTGRES"] = postgres.dsn(site, name)
    return {f"LONGITUDE_{key}": value for key, value in values.items()}
