"""Which messages are taken: type and trigger, version, processing id, and that a patient can be told.

What is refused here is answered with the HL7 condition that names the field at fault.
"""

from functools import cache

from ingestion.domain.hl7 import Message
from ingestion.domain.protocol import table
from ingestion.domain.refusal import Condition, Location, RefusedError, Verdict

# MSH-11 (HL7 table 0103): debugging and training.
NOT_PRODUCTION = frozenset({"D", "T"})
_NOT_TAKEN = frozenset({"AE", "AR", "CE", "CR"})
_PROCESSING_IDS = NOT_PRODUCTION | {"", "P"}


def check_supported(message: Message) -> None:
    """RefusedError unless the header is one that this service takes."""
    header = message.header
    if not header.get(10):
        raise RefusedError(Condition.REQUIRED_FIELD_MISSING, "MSH-10 (message control id) is missing", header.at(10))
    _check_type(message)
    if header.get(11) not in _PROCESSING_IDS:
        raise RefusedError(Condition.UNSUPPORTED_PROCESSING_ID, "MSH-11 is not P, D or T", header.at(11))
    if not header.get(12).startswith(("2.", "2")) and header.get(12):
        raise RefusedError(Condition.UNSUPPORTED_VERSION, "MSH-12 is not a version of HL7 v2", header.at(12))


def check_patient_present(message: Message) -> None:
    """RefusedError when the type's syntax requires a PID segment and there is none."""
    row = table("message_types")[message.header.get(9)]
    if row["patient"] == "required" and message.first("PID") is None:
        raise RefusedError(Condition.SEGMENT_SEQUENCE, "PID is missing", Location("PID"), Verdict.ERROR)


def trigger_of(message: Message) -> str:
    """MSH-9.2; where a sender leaves it out, EVN-1 or the only usual one of its type."""
    return message.header.get(9, 2) or message.get("EVN-1") or _default(message.header.get(9))


def type_answered(message: Message) -> str:
    """MSH-9.1; of a response the type of the message that it answers: what it says of orders is said as there."""
    code = message.header.get(9)
    return table("message_types")[code]["answers"] or code


def is_refusal(message: Message) -> bool:
    """Whether a response says that what it repeats was not taken (MSA-1, HL7 table 0008)."""
    return bool(table("message_types")[message.header.get(9)]["answers"]) and message.get("MSA-1") in _NOT_TAKEN


def _check_type(message: Message) -> None:
    header, code = message.header, message.header.get(9)
    if not code:
        raise RefusedError(Condition.REQUIRED_FIELD_MISSING, "MSH-9 (message type) is missing", header.at(9))
    if code not in table("message_types"):
        raise RefusedError(Condition.UNSUPPORTED_MESSAGE_TYPE, "this message type is not taken", header.at(9, 1))
    if trigger_of(message) not in triggers(code):
        raise RefusedError(Condition.UNSUPPORTED_EVENT_CODE, "this trigger event is not known", header.at(9, 2))


def _default(code: str) -> str:
    return table("message_types").get(code, {}).get("default", "")


@cache
def triggers(code: str) -> frozenset[str]:
    """The trigger events taken for a message type."""
    return frozenset(trigger for part in table("message_types")[code]["triggers"].split(",") for trigger in _span(part))


def _span(part: str) -> list[str]:
    """`A01-A03` as A01, A02, A03; `PC6-PC8` and `PCB-PCD` count at their last character."""
    first, dash, last = part.partition("-")
    if not dash:
        return [first]
    if first[1:].isdigit():
        return [f"{first[0]}{number:02d}" for number in range(int(first[1:]), int(last[1:]) + 1)]
    return [first[:-1] + chr(code) for code in range(ord(first[-1]), ord(last[-1]) + 1)]
