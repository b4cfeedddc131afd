"""The answer to a message: HL7 v2.5.1 chapter 2, sections 2.9.2 (rules) and 2.14.1 (ACK).

The same message gets the same answer, byte for byte: its control id comes from the message, and its MSH-7 repeats the
time of the message answered, so that a sender that repeats itself learns nothing new.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from ingestion.domain.escapes import escape, shown
from ingestion.domain.hl7 import Delimiters, Segment, read_delimiters
from ingestion.domain.refusal import CONDITION_TEXTS, Condition, RefusedError, Verdict

_LONGEST_HEADER = 8192
# What is repeated from the message is cut to the longest value that a header field may have (v2.5.1: HD, 227).
_LONGEST_FIELD = 227


class Policy(StrEnum):
    """How many answers one message gets.

    ONE: exactly one, which is what MLLP senders match on: the commit code when MSH-15 asks for it, else the application
    code when MSH-16 does, else the commit code. MATRIX: what MSH-15 and MSH-16 ask for: none, one, or CA and then AA.
    """

    ONE = "one"
    MATRIX = "matrix"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What of a message's header an answer needs; the defaults serve when there was none to read."""

    header: Segment
    codec: str

    @property
    def delimiters(self) -> Delimiters:
        """The dialect of the message."""
        return self.header.delimiters

    @property
    def encoding_characters(self) -> str:
        """MSH-2 as sent, where it could be used."""
        used = self.delimiters.encoding_characters.replace("\0", "")
        sent = self.header.raw(2)
        return sent if sent.startswith(used) and sent.isprintable() else used

    def echo(self, number: int) -> str:
        """A header field, to be repeated in the answer: no control character of a sender reaches a terminal."""
        return shown(self.header.raw(number)[:_LONGEST_FIELD], self.delimiters)

    @property
    def enhanced(self) -> bool:
        """Whether the sender uses the enhanced acknowledgement mode: MSH-15 or MSH-16 is valued."""
        return bool(self.header.get(15) or self.header.get(16))

    @property
    def version(self) -> str:
        """MSH-12, or 2.5.1."""
        return shown(self.header.get(12), self.delimiters) or "2.5.1"


def read_envelope(payload: bytes, codec: str) -> Envelope:
    """The header of whatever was sent, as far as it can be read."""
    text = payload[:_LONGEST_HEADER].decode(codec, errors="replace").replace("\0", "").lstrip("\ufeff\r\n\t ")
    line = text.replace("\n", "\r").partition("\r")[0]
    try:
        delimiters = read_delimiters(line, codec) if line.startswith("MSH") else Delimiters()
    except RefusedError:
        delimiters = Delimiters()
    fields = line.split(delimiters.field) if line.startswith("MSH" + delimiters.field) else ["MSH", ""]
    return Envelope(Segment("MSH", 1, [fields[0], delimiters.field, *fields[1:]], delimiters), codec)


def acknowledge(
    envelope: Envelope, refusal: RefusedError | None, digest: bytes, policy: Policy = Policy.ONE
) -> list[tuple[str, bytes]]:
    """The answers to a message, each with its code (AA, AE, AR, CA, CE or CR), in the order in which they are sent."""
    verdict = refusal.verdict if refusal else Verdict.ACCEPT
    return [
        (mode + verdict, _message(envelope, mode + verdict, refusal, digest))
        for mode in _modes(envelope, verdict, policy)
    ]


def code_of(envelope: Envelope, refusal: RefusedError | None, policy: Policy) -> str:
    """The code of the first answer; empty when there is none."""
    verdict = refusal.verdict if refusal else Verdict.ACCEPT
    return next((mode + verdict for mode in _modes(envelope, verdict, policy)), "")


def _modes(envelope: Envelope, verdict: Verdict, policy: Policy) -> list[str]:
    if not envelope.enhanced:
        return ["A"]
    commit = _asked(envelope.header.get(15), verdict)
    application = _asked(envelope.header.get(16), verdict)
    wanted = [mode for mode, asked in (("C", commit), ("A", application)) if asked]
    return wanted if policy is Policy.MATRIX else (wanted or ["C"])[:1]


def _asked(condition: str, verdict: Verdict) -> bool:
    """HL7 table 0155: always, never, error or reject, success."""
    accepted = verdict is Verdict.ACCEPT
    return {"AL": True, "NE": False, "ER": not accepted, "SU": accepted, "": False}.get(condition, True)


def _message(envelope: Envelope, code: str, refusal: RefusedError | None, digest: bytes) -> bytes:
    lines = [_msh(envelope, code, digest), _msa(envelope, code, refusal)]
    if refusal:
        lines.append(_err(envelope, refusal))
    # Whatever stands in a line, nothing of it acts on what shows the answer.
    return "".join(shown(line, envelope.delimiters) + "\r" for line in lines).encode(envelope.codec, errors="replace")


def _msh(envelope: Envelope, code: str, digest: bytes) -> str:
    delimiters = envelope.delimiters
    trigger = envelope.echo(9).split(delimiters.component)[1:2]
    message_type = delimiters.component.join(["ACK", *trigger, "ACK"] if trigger and trigger[0] else ["ACK"])
    fields = [
        "MSH",
        # Sender and receiver change places (section 2.9.2.1).
        *(envelope.echo(number) for number in (5, 6, 3, 4)),
        envelope.echo(7),
        "",
        message_type,
        _control_id(code, digest),
        envelope.echo(11) or "P",
        envelope.version,
        *[""] * 5,
        envelope.echo(18),
    ]
    fields.insert(1, envelope.encoding_characters)
    return delimiters.field.join(fields).rstrip(delimiters.field)


def _control_id(code: str, digest: bytes) -> str:
    """20 characters, the most that MSH-10 holds in v2.5.1."""
    return hashlib.sha256(code.encode() + digest).hexdigest()[:20].upper()


def _msa(envelope: Envelope, code: str, refusal: RefusedError | None) -> str:
    fields = ["MSA", code, envelope.echo(10)]
    if refusal and _before_2_5(envelope.version):
        fields.append(escape(refusal.text, envelope.delimiters))
    return envelope.delimiters.field.join(fields)


def _err(envelope: Envelope, refusal: RefusedError) -> str:
    """ERR as the version of the message has it: ELD in ERR-1 before 2.5, ERR-2 to ERR-8 since."""
    delimiters = envelope.delimiters
    coded = [refusal.condition.value, CONDITION_TEXTS[refusal.condition], "HL70357"]
    place = refusal.location.parts() if refusal.location else []
    if _before_2_5(envelope.version):
        eld = [*(place + [""] * 3)[:3], delimiters.subcomponent.join(coded)]
        return delimiters.field.join(["ERR", delimiters.component.join(eld)])
    text = escape(refusal.text, delimiters)
    fields = ["ERR", "", delimiters.component.join(place), delimiters.component.join(coded), "E", "", "", "", text]
    return delimiters.field.join(fields)


def _before_2_5(version: str) -> bool:
    return version[:3] in {"2.0", "2.1", "2.2", "2.3", "2.4"}


def not_stored(verdict: Verdict = Verdict.ERROR) -> RefusedError:
    """The answer when the message could not be made durable: it must be sent again."""
    return RefusedError(
        Condition.APPLICATION_ERROR, "application internal error, not stored, send again", None, verdict
    )
