"""Who a message is about: the patient key of PID-3, other identifiers, and merges.

Only record numbers name and link patients where there are any: a policy, a household or a national number that is
repeated beside them is no second record. What stands for "not known" (`UNKNOWN`, `00000`) is nobody's number.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.ingestion.v1.events_pb2 import PatientIdentity
from longitude.record.v1.fact_pb2 import IdentityLink, PatientKey

from ingestion.domain.feed import FeedRules
from ingestion.domain.hl7 import Message, Segment, Value
from ingestion.domain.message_type import trigger_of
from ingestion.domain.protocol import table
from ingestion.domain.refusal import Condition, RefusedError, Verdict

# Triggers that say that MRG-1 and PID-3 are one person: merges (A18, A30, A34, A36, A39, A40) and changes or moves
# of a patient identifier (A43, A46, A47). Those of accounts and visits (A35, A41, A44, A45 ...) say nothing new.
MERGES = frozenset({"A18", "A30", "A34", "A36", "A39", "A40", "A43", "A46", "A47"})
# Triggers with two PID segments: they are one person (A24, link), or are two again (A37, unlink).
LINKS = {"A24": False, "A37": True}

_NATIONAL = re.compile(r"NN[A-Z]{2,3}")
# Which number names the patient: the fewer, the better. Others (of a policy, of no patient) name none.
_PREFERRED = {"record": 1, "unspecified": 2, "person": 3, "account": 4}
_MEDICAL_RECORD = ("MR", "MRN")
# Segment, field and what was not understood there.
Remark = Callable[[Segment, int, str], None]


@dataclass(frozen=True, slots=True)
class Numbers:
    """How the identifiers of a message are read: who gave those that name no authority, and the rules of the feed."""

    authority: str
    rules: FeedRules
    # The day of the message (YYYYMMDD), on which identifiers are valid or not.
    day: str

    @classmethod
    def of(cls, message: Message, rules: FeedRules, said_at: Timestamp, default: str) -> "Numbers":
        """Of one message; `default` is the authority where neither identifier nor header names one."""
        said = datetime.fromtimestamp(said_at.seconds, UTC).astimezone(rules.zone)
        return cls(sender_of(message, default), rules, f"{said:%Y%m%d}")

    def key(self, value: Value) -> PatientKey:
        """The identifier as a patient key."""
        return PatientKey(id=value.get(), authority=authority_of(value, self.authority))

    def known(self, segment: Segment, field: int) -> list[Value]:
        """The identifiers of a field that are no placeholders."""
        return [v for v in segment.values(field) if v.get() and v.get().upper() not in self.rules.placeholders]

    def valid(self, value: Value) -> bool:
        """CX.7 and CX.8: from and to which day; as precise as they are sent."""
        start, end = value.get(7)[:8], value.get(8)[:8]
        begun = not start.isdigit() or start <= self.day[: len(start)]
        return begun and (not end.isdigit() or end >= self.day[: len(end)])

    def kind(self, value: Value) -> str:
        """What the type of an identifier (CX.5) makes of it, by the rules of the feed, else by table 0203."""
        code = value.get(5).upper()
        if code in self.rules.record_types:
            return "record"
        known = table("identifier_types").get("NNxxx" if _NATIONAL.fullmatch(code) else code)
        return "other" if known and known["kind"] == "record" else known["kind"] if known else "unspecified"

    def naming(self, segment: Segment, *fields: int) -> list[Value]:
        """Those of the first of these fields with any that may name the patient, the best first."""
        values = next(filter(None, (self.known(segment, field) for field in fields)), [])
        return sorted((v for v in values if self.kind(v) in _PREFERRED), key=self._rank)

    def merged(self, mrg: Segment) -> list[PatientKey]:
        """The record numbers of MRG-1; where none has such a type, those without a type."""
        records, untyped = self._linking(self.known(mrg, 1))
        return records or untyped

    def surviving(self, pid: Segment) -> list[PatientKey]:
        """The record numbers of PID-3 (else PID-2), valid ones first, then those without a type."""
        records, untyped = self._linking(self.known(pid, 3) or self.known(pid, 2))
        return records + untyped

    def _linking(self, values: Sequence[Value]) -> tuple[list[PatientKey], list[PatientKey]]:
        ordered = sorted(values, key=self._rank)
        records = [self.key(value) for value in ordered if self.kind(value) == "record"]
        return records, [self.key(value) for value in ordered if value.get(5).upper() in {"", "U"}]

    def _rank(self, value: Value) -> tuple[bool, int]:
        kind = self.kind(value)
        own = kind == "record" and value.get(5).upper() in _MEDICAL_RECORD
        return not self.valid(value), 0 if own else _PREFERRED.get(kind, 9)


def authority_of(identifier: Value, fallback: str) -> str:
    """CX.4: namespace id, else universal id, else who sent it."""
    return identifier.get(4, 1) or identifier.get(4, 2) or fallback


def sender_of(message: Message, default: str) -> str:
    """The authority of an identifier that names none: sending facility, else sending application, else the default."""
    header = message.header
    return header.get(4, 1) or header.get(4, 2) or header.get(3, 1) or default


def patient_key(pid: Segment, numbers: Numbers) -> PatientKey | None:
    """The number that names the patient, of PID-3, else of PID-2; None where what stands there names nobody.

    RefusedError when nothing stands there: what a message says about nobody cannot be kept in a record.
    """
    if not any(value.get() for field in (3, 2) for value in pid.values(field)):
        text = "PID-3 (patient identifier list) is missing"
        raise RefusedError(Condition.REQUIRED_FIELD_MISSING, text, pid.at(3), Verdict.ERROR)
    named = numbers.naming(pid, 3, 2)
    return numbers.key(named[0]) if named else None


def identity_of(pid: Segment, key: PatientKey, numbers: Numbers) -> PatientIdentity:
    """The patient as the message names them. `key`: the `patient_key` of the segment."""
    others = [numbers.key(value) for value in numbers.known(pid, 3) or numbers.known(pid, 2)]
    return PatientIdentity(
        key=key,
        other_identifiers=[other for other in others if other != key],
        family_name=pid.get(5, 1),
        given_name=pid.get(5, 2),
    )


def identity_links(message: Message, numbers: Numbers, remark: Remark) -> Iterator[IdentityLink]:
    """Each pair of identifiers that is one person, or two again. What is no pair is remarked.

    RefusedError when a message of this kind names only one.
    """
    if message.header.get(9) != "ADT":
        return
    trigger = trigger_of(message)
    if trigger in MERGES:
        pairs = _merges(message, numbers, remark)
    elif trigger in LINKS:
        pairs = _pairs(message, numbers, removed=LINKS[trigger])
    else:
        return
    for link, segment, field in pairs:
        if link.surviving == link.merged:
            remark(segment, field, "an identifier merged into itself is no merge")
        else:
            yield link


def _merges(message: Message, numbers: Numbers, remark: Remark) -> Iterator[tuple[IdentityLink, Segment, int]]:
    pid: Segment | None = None
    pairs = 0
    for segment in message.segments:
        if segment.name == "PID":
            pid = segment
        elif segment.name == "MRG" and pid is not None:
            pairs += 1
            yield from ((link, segment, 1) for link in _links(pid, segment, numbers, remark))
    if not pairs:
        raise RefusedError(Condition.SEGMENT_SEQUENCE, "MRG is missing after PID", None, Verdict.ERROR)


def _links(pid: Segment, mrg: Segment, numbers: Numbers, remark: Remark) -> Iterator[IdentityLink]:
    if not any(value.get() for value in mrg.values(1)):
        text = "MRG-1 (prior patient identifier list) is missing"
        raise RefusedError(Condition.REQUIRED_FIELD_MISSING, text, mrg.at(1), Verdict.ERROR)
    survivors, merged = numbers.surviving(pid), numbers.merged(mrg)
    for segment, field, keys in ((pid, 3, survivors), (mrg, 1, merged)):
        if not keys:
            remark(segment, field, "no record number of a patient; no merge")
    if survivors:
        for key in merged:
            yield IdentityLink(surviving=_survivor(survivors, key), merged=key)


def _survivor(survivors: Sequence[PatientKey], merged: PatientKey) -> PatientKey:
    """The surviving identifier of the same authority (PID-3 may repeat the merged one), else the first."""
    same = [key for key in survivors if key.authority == merged.authority]
    return next((key for key in same if key.id != merged.id), next(iter(same or survivors)))


def _pairs(message: Message, numbers: Numbers, *, removed: bool) -> Iterator[tuple[IdentityLink, Segment, int]]:
    """Of two PID segments: one pair makes them one person; every pair must go for them to be two."""
    patients = list(message.all("PID"))
    if len(patients) != 2:
        raise RefusedError(Condition.SEGMENT_SEQUENCE, "two PID segments are needed", None, Verdict.ERROR)
    ones, others = map(numbers.surviving, patients)
    if removed:
        for one in ones:
            for other in others:
                yield IdentityLink(surviving=one, merged=other, removed=True), patients[1], 3
    elif ones and others:
        yield IdentityLink(surviving=_survivor(ones, others[0]), merged=others[0]), patients[1], 3
