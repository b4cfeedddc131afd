"""The issuer of the stack's people as a part: `native_stack.provider` in a process of its own."""

import sys
from functools import partial

from native_stack.part import Command, Part, Site, inherited_environment, until_http_ok
from native_stack.people import SigningKeys

PASSWORD = "people_password"  # noqa: S105 - the name of it
VARIABLE = "STACK_PASSWORD"


def part(site: Site) -> Part:
    """The issuer as the supervisor starts it."""
    return Part(name="issuer", prepare=partial(_prepare, site), until_ready=partial(until_http_ok, f"{url(site)}/jwks"))


def url(site: Site) -> str:
    """Its name in tokens, and where it answers."""
    return f"http://{site.address('issuer')}"


def keys(site: Site) -> SigningKeys:
    """The keys it signs with."""
    return SigningKeys(site.layout.data("issuer") / "keys.json")


async def _prepare(site: Site) -> Command:
    folder = site.layout.data("issuer")
    folder.mkdir(parents=True, exist_ok=True)
    argv = (sys.executable, "-m", "native_stack.provider", str(site.ports["issuer"]), str(folder))
    return Command(argv, inherited_environment() | {VARIABLE: site.credentials[PASSWORD]}, folder)
