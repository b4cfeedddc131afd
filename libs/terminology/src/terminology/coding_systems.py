"""Names of code systems, as senders write them, to the FHIR system URI."""

import re
from functools import cache

from terminology import tables

COLUMNS = ("name", "uri", "source")
_SEPARATORS = re.compile(r"[\s\-_]+")


def uri(name: str) -> str:
    """The URI of a code system by its HL7 name, OID or URI; empty when it is not known."""
    spelled = _SEPARATORS.sub("", name.upper()).removeprefix("URN:OID:")
    return _by_name().get(spelled, "")


def known(system: str) -> bool:
    """Whether a URI is that of a code system with a name here: a local system is not."""
    return system in _by_name().values()


@cache
def _by_name() -> dict[str, str]:
    rows = tables.index(tables.read("coding_systems", COLUMNS), "name").values()
    own = {_SEPARATORS.sub("", row["uri"].upper()): row["uri"] for row in rows}
    return own | {row["name"]: row["uri"] for row in rows}
