"""Names of code systems, as senders write them, to the FHIR system URI."""

import re
from functools import cache, lru_cache

from terminology import tables

COLUMNS = ("name", "uri", "source")
_HL7_TABLES = "http://terminology.hl7.org/CodeSystem/v2-"
_HL7_TABLE = re.compile(r"HL7(\d+)")
_OID = re.compile(r"\d+(?:\.\d+){4,}")
_LONGEST = 256  # characters of a name
_SEPARATORS = re.compile(r"[\s\-_]+")


def uri(name: str) -> str:
    """The URI of a code system by its HL7 name (of a table: HL7nnnn), OID or URI; empty when there is none.

    An OID that no row knows is its own URI.
    """
    return _uri(name) if len(name) <= _LONGEST else ""


@lru_cache(maxsize=4096)
def _uri(name: str) -> str:
    spelled = _SEPARATORS.sub("", name.upper()).removeprefix("URN:OID:")
    if row := _by_name().get(spelled):
        return row
    if table := _HL7_TABLE.fullmatch(spelled):
        return f"{_HL7_TABLES}{int(table[1]):04d}"
    return f"urn:oid:{spelled}" if _OID.fullmatch(spelled) else ""


def known(system: str) -> bool:
    """Whether a URI is that of a code system with a name here or of a table of HL7: a local system is not."""
    return system in _by_name().values() or system.startswith(_HL7_TABLES)


@cache
def _by_name() -> dict[str, str]:
    rows = tables.index(tables.read("coding_systems", COLUMNS), "name").values()
    own = {_SEPARATORS.sub("", row["uri"].upper()): row["uri"] for row in rows}
    return own | {row["name"]: row["uri"] for row in rows}
