"""RFC 8785, the JSON Canonicalization Scheme: whether bytes are the one serialisation of what they say."""

from __future__ import annotations

import json
import math
from typing import Any

from client.errors import VerificationError

_SHORT_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def parse_canonical(data: bytes) -> Any:
    """The value of a canonical JSON text; VerificationError when it is not JSON or not canonical."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_without_repetition, parse_int=_integer)
        if canonical(value) != data:
            raise VerificationError("not canonical JSON (RFC 8785)")
    except (ValueError, RecursionError) as error:
        raise VerificationError("not JSON") from error
    return value


def canonical(value: Any) -> bytes:
    """Serialise; ValueError for what I-JSON (RFC 7493) cannot hold."""
    return _text(value).encode("utf-8")


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int | float):
        return _number(float(value))
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{_string(key)}:{_text(member)}" for key, member in members) + "}"
    raise ValueError(f"JSON has no {type(value).__name__}")


def _string(text: str) -> str:
    return '"' + "".join(_character(character) for character in text) + '"'


def _character(character: str) -> str:
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    return f"\\u{ord(character):04x}" if character < " " else character


def _number(value: float) -> str:
    """ECMAScript's Number.prototype.toString, from the shortest digits that give the number back."""
    if not math.isfinite(value):
        raise ValueError("JSON has neither NaN nor infinity")
    if value == 0:
        return "0"
    sign, digits, point = _decimal(value)
    if 0 < point <= 21:
        whole = digits[:point].ljust(point, "0")
        return sign + whole + (f".{digits[point:]}" if len(digits) > point else "")
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def _decimal(value: float) -> tuple[str, str, int]:
    """Sign, shortest digits without leading or trailing zeros, and where the decimal point stands before them."""
    mantissa, _, exponent = f"{value!r}e0".partition("e")
    exponent = exponent.partition("e")[0]
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = whole + fraction
    stripped = digits.lstrip("0")
    point = len(whole) + int(exponent) - (len(digits) - len(stripped))
    return sign, stripped.rstrip("0"), point


def _integer(digits: str) -> int | float:
    """Numbers of I-JSON are doubles: beyond 2**53 the digits are not the value."""
    return int(digits) if len(digits) < 16 else float(digits)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a repeated key")
    return members
