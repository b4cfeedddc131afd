"""The witness of the stack's log as a part: `native_stack.witnessing` in a process of its own."""

import sys
from functools import partial

from native_stack.part import Command, Part, Site, inherited_environment, until_http_ok
from native_stack.witnessing import KEY, Witness

NAME = "witness"
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
    folder = site.layout.data(NAME)
    return str(Witness(folder, site.layout.data("auditing") / _LOG_KEY).key) if (folder / KEY).exists() else ""


async def _prepare(site: Site) -> Command:
    folder = site.layout.data(NAME)
    folder.mkdir(parents=True, exist_ok=True)
    log_key = site.layout.data("auditing") / _LOG_KEY
    argv = (sys.executable, "-m", "native_stack.witnessing", str(site.ports[NAME]), str(folder), str(log_key))
    return Command(argv, inherited_environment(), folder)
