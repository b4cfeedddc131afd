"""Who a message is about: the patient key of PID-3, other identifiers, and merges."""

from collections.abc import Iterator, Sequence

from longitude.ingestion.v1.events_pb2 import PatientIdentity
from longitude.record.v1.fact_pb2 import IdentityLink, PatientKey

from ingestion.domain.hl7 import Message, Segment, Value
from ingestion.domain.message_type import trigger_of
from ingestion.domain.refusal import Condition, RefusedError, Verdict

# Triggers that say that MRG-1 and PID-3 are one person: merges (A18, A30, A34, A36, A39, A40) and changes or moves
# of a patient identifier (A43, A46, A47). Those of accounts and visits (A35, A41, A44, A45 ...) say nothing new.
MERGES = frozenset({"A18", "A30", "A34", "A36", "A39", "A40", "A43", "A46", "A47"})
# Triggers with two PID segments: they are one person (A24, link), or are two again (A37, unlink).
LINKS = {"A24": False, "A37": True}
_MEDICAL_RECORD = ("MR", "MRN", "PI", "PT")


def authority_of(identifier: Value, fallback: str) -> str:
    """CX.4: namespace id, else universal id, else who sent it."""
    return identifier.get(4, 1) or identifier.get(4, 2) or fallback


def sender_of(message: Message, default: str) -> str:
    """The authority of an identifier that names none: sending facility, else sending application, else the default."""
    header = message.header
    return header.get(4, 1) or header.get(4, 2) or header.get(3, 1) or default


def patient_keys(pid: Segment, fallback: str) -> list[PatientKey]:
    """Every identifier of a PID segment, the medical record number first; PID-2 when PID-3 has none.

    RefusedError when there is no identifier: what a message says about nobody cannot be kept in a record.
    """
    identifiers = [value for value in pid.values(3) if value.get()] or [v for v in pid.values(2) if v.get()]
    if not identifiers:
        text = "PID-3 (patient identifier list) is missing"
        raise RefusedError(Condition.REQUIRED_FIELD_MISSING, text, pid.at(3), Verdict.ERROR)
    identifiers.sort(key=lambda value: value.get(5) not in _MEDICAL_RECORD)
    return [_key(value, fallback) for value in identifiers]


def identity_of(pid: Segment, fallback: str) -> PatientIdentity:
    """The patient as the message names them."""
    key, *others = patient_keys(pid, fallback)
    return PatientIdentity(key=key, other_identifiers=others, family_name=pid.get(5, 1), given_name=pid.get(5, 2))


def identity_links(message: Message, fallback: str) -> Iterator[tuple[IdentityLink, Segment]]:
    """Each pair of identifiers that is one person, or two again, and the segment that says so.

    RefusedError when a message of this kind names only one.
    """
    if message.header.get(9) != "ADT":
        return
    trigger = trigger_of(message)
    if trigger in MERGES:
        yield from _merges(message, fallback)
    elif trigger in LINKS:
        yield _pair(message, fallback, removed=LINKS[trigger])


def _merges(message: Message, fallback: str) -> Iterator[tuple[IdentityLink, Segment]]:
    survivors: list[PatientKey] = []
    pairs = 0
    for segment in message.segments:
        if segment.name == "PID":
            survivors = patient_keys(segment, fallback)
        elif segment.name == "MRG" and survivors:
            pairs += 1
            yield from ((link, segment) for link in _links(survivors, segment, fallback))
    if not pairs:
        raise RefusedError(Condition.SEGMENT_SEQUENCE, "MRG is missing after PID", None, Verdict.ERROR)


def _pair(message: Message, fallback: str, *, removed: bool) -> tuple[IdentityLink, Segment]:
    patients = [segment for segment in message.segments if segment.name == "PID"]
    if len(patients) != 2:
        raise RefusedError(Condition.SEGMENT_SEQUENCE, "two PID segments are needed", None, Verdict.ERROR)
    first, second = (patient_keys(segment, fallback)[0] for segment in patients)
    return IdentityLink(surviving=first, merged=second, removed=removed), patients[1]


def is_self_link(link: IdentityLink) -> bool:
    """Whether an identifier is merged into itself."""
    return link.surviving == link.merged


def _links(survivors: Sequence[PatientKey], mrg: Segment, fallback: str) -> Iterator[IdentityLink]:
    merged = [_key(value, fallback) for value in mrg.values(1) if value.get()]
    if not merged:
        text = "MRG-1 (prior patient identifier list) is missing"
        raise RefusedError(Condition.REQUIRED_FIELD_MISSING, text, mrg.at(1), Verdict.ERROR)
    for key in merged:
        yield IdentityLink(surviving=_survivor(survivors, key), merged=key)


def _survivor(survivors: Sequence[PatientKey], merged: PatientKey) -> PatientKey:
    """The surviving identifier of the same authority (PID-3 may repeat the merged one), else the first."""
    same = [key for key in survivors if key.authority == merged.authority]
    return next((key for key in same if key.id != merged.id), next(iter(same or survivors)))


def _key(value: Value, fallback: str) -> PatientKey:
    return PatientKey(id=value.get(), authority=authority_of(value, fallback))
