"""Numbers as HL7's NM writes them, and the units beside them. Digits stay as they were sent."""

import re

from terminology import units

_NUMBER = re.compile(r"-?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})")


def decimal_of(text: str) -> str | None:
    """A number as HL7's NM has it, digits kept as sent; None when it is none."""
    text = text.strip().removeprefix("+")
    if not _NUMBER.fullmatch(text):
        return None
    text = text.removesuffix(".")
    return text.replace(".", "0.", 1) if text.lstrip("-").startswith(".") else text


def ucum(unit: str) -> str:
    """A unit in UCUM where its spelling is known and means one unit, else as sent."""
    known = units.readings(unit)
    return known[0] if len(known) == 1 else unit.strip()
