"""How a patient and a number of theirs are named in FHIR.

A patient's logical id is made from the number and its authority and can be read back: letters and digits stand, any
other byte is `-` and two hexadecimal digits, a point parts the two. One that
would have more than 64 characters has none.
"""

import re
from urllib.parse import quote, unquote

from longitude.record.v1.fact_pb2 import PatientKey

_LONGEST = 64
_AUTHORITY = "urn:longitude:authority:"
_OID_URN = "urn:oid:"
_OID = re.compile(r"\d+(?:\.\d+){3,}")
_PLAIN = re.compile(r"[A-Za-z0-9]")
_PART = re.compile(r"(?:[A-Za-z0-9]|-[0-9a-f]{2})*")
_ESCAPE = re.compile(r"-([0-9a-f]{2})")


def logical_id(patient: PatientKey) -> str:
    """The id of `Patient/ID`; empty where it would be too long."""
    made = f"{_escaped(patient.id)}.{_escaped(patient.authority)}"
    return made if len(made) <= _LONGEST else ""


def patient_of(logical: str) -> PatientKey | None:
    """Whom a logical id names; None for one that is not of this form."""
    number, point, authority = logical.partition(".")
    if not (point and number and _PART.fullmatch(number) and _PART.fullmatch(authority)):
        return None
    try:
        patient = PatientKey(id=_unescaped(number), authority=_unescaped(authority))
    except UnicodeDecodeError:
        return None
    return patient if logical_id(patient) == logical else None


def system_of(authority: str) -> str:
    """The system of the numbers that an authority gives: its OID, else a URN with its name."""
    return f"{_OID_URN}{authority}" if _OID.fullmatch(authority) else _AUTHORITY + quote(authority, safe="")


def authority_of(system: str) -> str:
    """The authority of such a system; empty for any other."""
    if system.startswith(_OID_URN):
        return system.removeprefix(_OID_URN)
    return unquote(system.removeprefix(_AUTHORITY)) if system.startswith(_AUTHORITY) else ""


def _escaped(text: str) -> str:
    return "".join(one if _PLAIN.fullmatch(one) else "".join(f"-{byte:02x}" for byte in one.encode()) for one in text)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text).encode("latin-1").decode()
