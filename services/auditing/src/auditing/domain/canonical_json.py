"""Canonical JSON (RFC 8785) for what leaves hold: objects with ASCII keys, arrays, strings, integers, booleans.

Other values are refused, so that the short form below is exact: RFC 8785 orders keys by UTF-16 units, which for
ASCII is the order of code points, and numbers other than small integers need ECMAScript's formatting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeAlias, Union

Json: TypeAlias = Union[str, int, bool, "list[Json]", "dict[str, Json]"]
_EXACT = 2**53


def canonical(value: Json) -> bytes:
    """The one serialisation of a value. ValueError for anything that is outside the subset."""
    _check(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _check(value: object) -> None:
    match value:
        case dict():
            if not all(isinstance(key, str) and key.isascii() for key in value):
                raise ValueError("a key of a leaf is an ASCII string")
            _check_all(value.values())
        case list():
            _check_all(value)
        case int() if abs(value) >= _EXACT:
            raise ValueError("an integer of a leaf is below 2**53")
        case str() | int():
            return
        case _:
            raise ValueError(f"a leaf holds no {type(value).__name__}")


def _check_all(values: Iterable[object]) -> None:
    for value in values:
        _check(value)
