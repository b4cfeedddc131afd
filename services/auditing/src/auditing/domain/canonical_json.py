"""Canonical JSON (RFC 8785) for what leaves hold: objects with ASCII keys, arrays, strings and booleans.

The type leaves no room for what makes the standard hard: numbers need ECMAScript's formatting, and keys beyond ASCII
the order of UTF-16 units. Within it the short form below is exact; the client's verifier checks it with all of the
standard.
"""

import json
from typing import TypeAlias, Union

Json: TypeAlias = Union[str, bool, "list[Json]", "dict[str, Json]"]


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(value: Json) -> bytes:
    """The one serialisation of a value."""
    return _ENCODER.encode(value).encode()
