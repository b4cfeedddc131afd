"""The witness of the stack's log as a part: `python -m witness` in a process of its own."""

import sys
from functools import partial
from pathlib import Path

from witness.cosigning import public_key

from native_stack.part import Command, Part, Site, inherited_environment, private_word, until_http_ok

NAME = "witness"
# Of its folder.
KEY = "witness.key"
_COSIGNER = "longitude.local/witness"
# Where auditing puts its public key (LONGITUDE_SIGNING_KEY_FILE).
_LOG_KEY = "signing.key.pub"


def part(site: Site) -> Part:
    """The witness as the supervisor starts it."""
    return Part(name=NAME, prepare=partial(_prepare, site), until_ready=partial(until_http_ok, f"{url(site)}/healthz"))


def url(site: Site) -> str:
    """Its submission prefix."""
    return f"http://{site.address(NAME)}"


def key(site: Site) -> str:
    """Its public key, for who verifies; empty before its first start."""
    file = site.layout.data(NAME) / KEY
    return str(public_key(_COSIGNER, bytes.fromhex(file.read_text()))) if file.exists() else ""


def settings(listen: str, folder: Path, log_key: Path) -> dict[str, str]:
    """What its environment says; its key is made where there is none."""
    private_word(folder / KEY)
    return {
        "LONGITUDE_HTTP_LISTEN": listen,
        "LONGITUDE_WITNESS_NAME": _COSIGNER,
        "LONGITUDE_WITNESS_KEY_FILE": str(folder / KEY),
        "LONGITUDE_WITNESS_STATE": str(folder),
        "LONGITUDE_LOG_KEYS": str(log_key),
    }


async def _prepare(site: Site) -> Command:
    folder = site.layout.data(NAME)
    folder.mkdir(parents=True, exist_ok=True)
    told = settings(site.address(NAME), folder, site.layout.data("auditing") / _LOG_KEY)
    return Command((sys.executable, "-m", "witness"), inherited_environment() | told, folder)
