"""Why a message is not taken, in HL7's own terms. Texts never hold what the message says about a patient."""

from dataclasses import dataclass
from enum import StrEnum


class Condition(StrEnum):
    """HL7 table 0357 (message error condition codes), v2.5.1 section 2.C.2."""

    ACCEPTED = "0"
    SEGMENT_SEQUENCE = "100"
    REQUIRED_FIELD_MISSING = "101"
    DATA_TYPE = "102"
    TABLE_VALUE_NOT_FOUND = "103"
    UNSUPPORTED_MESSAGE_TYPE = "200"
    UNSUPPORTED_EVENT_CODE = "201"
    UNSUPPORTED_PROCESSING_ID = "202"
    UNSUPPORTED_VERSION = "203"
    APPLICATION_ERROR = "207"


CONDITION_TEXTS = {
    Condition.ACCEPTED: "Message accepted",
    Condition.SEGMENT_SEQUENCE: "Segment sequence error",
    Condition.REQUIRED_FIELD_MISSING: "Required field missing",
    Condition.DATA_TYPE: "Data type error",
    Condition.TABLE_VALUE_NOT_FOUND: "Table value not found",
    Condition.UNSUPPORTED_MESSAGE_TYPE: "Unsupported message type",
    Condition.UNSUPPORTED_EVENT_CODE: "Unsupported event code",
    Condition.UNSUPPORTED_PROCESSING_ID: "Unsupported processing id",
    Condition.UNSUPPORTED_VERSION: "Unsupported version id",
    Condition.APPLICATION_ERROR: "Application internal error",
}


class Verdict(StrEnum):
    """HL7 table 0008 without its mode: `ERROR` (AE, CE) is about the content, `REJECT` (AR, CR) about the envelope."""

    ACCEPT = "A"
    ERROR = "E"
    REJECT = "R"


@dataclass(frozen=True, slots=True)
class Location:
    """ERR-2: where the fault is. Occurrence of the segment and field from 1; 0 for a whole segment."""

    segment: str
    occurrence: int = 1
    field: int = 0
    repetition: int = 0
    component: int = 0

    def parts(self) -> list[str]:
        """The components of data type ERL (v2.5.1 section 2.A.28), up to the last one given."""
        parts = [self.segment, str(self.occurrence)]
        for number in (self.field, self.repetition, self.component):
            if not number:
                break
            parts.append(str(number))
        return parts

    def __str__(self) -> str:
        return "^".join(self.parts())


class RefusedError(Exception):
    """A message cannot be taken. `text` goes to the sender and into the log: it quotes nothing from the message."""

    def __init__(
        self, condition: Condition, text: str, location: Location | None = None, verdict: Verdict = Verdict.REJECT
    ) -> None:
        super().__init__(text)
        self.condition = condition
        self.text = text
        self.location = location
        self.verdict = verdict
