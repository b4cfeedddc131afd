"""What surrounds a segment: the message, the patient, the visit; and how a fact about them begins."""

from dataclasses import dataclass, field
from datetime import tzinfo

from contracts.identifiers import event_id
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.ingestion.v1.events_pb2 import Remark
from longitude.record.v1 import fact_pb2 as pb

from ingestion.domain.coding import Coding
from ingestion.domain.feed import FeedRules
from ingestion.domain.hl7 import Segment
from ingestion.domain.timestamps import timestamp


@dataclass(frozen=True, slots=True)
class Origin:
    """What every fact of one message shares."""

    event_id: str
    control_id: str
    facility: str
    zone: tzinfo
    # MSH-7, or when the message arrived: when something was said that has no time of its own.
    said_at: Timestamp
    trigger: str
    rules: FeedRules = field(default_factory=FeedRules)
    # What was not understood: place and reason, never what stood there.
    remarks: list[Remark] = field(default_factory=list)

    def remark(self, segment: Segment, number: int, reason: str) -> None:
        """Say that a field (0: the segment) was not understood."""
        path = segment.path(number) if number else ""
        self.remarks.append(Remark(segment=segment.label, field=path, reason=reason))

    def time(self, segment: Segment, *numbers: int) -> Timestamp | None:
        """The first readable timestamp among fields; unreadable ones are noted."""
        for number in numbers:
            text = segment.get(number)
            if text:
                moment = timestamp(text, self.zone)
                if moment is not None:
                    return moment
                self.remark(segment, number, "not a timestamp")
        return None


@dataclass(frozen=True, slots=True)
class Scope:
    """Who and which visit a segment is about."""

    origin: Origin
    patient: pb.PatientKey
    encounter_id: str = ""
    # What all facts begin with.
    _begun: pb.ClinicalFact = field(init=False, repr=False)

    def __post_init__(self) -> None:
        begun = pb.ClinicalFact(
            patient=self.patient,
            provenance=pb.PROVENANCE_STRUCTURED,
            confidence=1.0,
            encounter_id=self.encounter_id,
            source=pb.SourcePointer(event_id=self.origin.event_id, control_id=self.origin.control_id),
        )
        object.__setattr__(self, "_begun", begun)

    @property
    def said_at(self) -> Timestamp:
        """When the message was sent."""
        return self.origin.said_at

    def time(self, segment: Segment, *numbers: int) -> Timestamp:
        """The first readable timestamp among fields, else when the message was sent."""
        return self.origin.time(segment, *numbers) or self.said_at

    def coding(self, coding: Coding) -> pb.CodedConcept:
        """A coding as sent, its system written as a URI."""
        return coding.concept(self.origin.facility)

    def fact(self, segment: Segment, path: str, identity: pb.Identity, **content: object) -> pb.ClinicalFact:
        """A structured fact with its pointer; `content` are fields of ClinicalFact."""
        content.setdefault("status", pb.FACT_STATUS_ACTIVE)
        content.setdefault("assertion", pb.ASSERTION_PRESENT)
        content.setdefault("stated_at", self.said_at)
        if self.origin.rules.numbers_restart and self.encounter_id:
            identity = _within_visit(identity, self.encounter_id)
        fact = pb.ClinicalFact(identity=identity, **content)  # type: ignore[arg-type]
        fact.MergeFrom(self._begun)
        fact.source.segment, fact.source.field = segment.label, path
        return fact


def _within_visit(identity: pb.Identity, visit: str) -> pb.Identity:
    """Order numbers that begin anew name an order within one visit only."""
    within = pb.Identity()
    within.CopyFrom(identity)
    del within.groups[:]
    for group in identity.groups:
        is_order = any(scheme in group.partition(":")[0] for scheme in ("placer", "filler"))
        within.groups.append(f"{group}#{visit}" if is_order else group)
    return within


def with_id(fact: pb.ClinicalFact) -> pb.ClinicalFact:
    """The fact with its id: the same content from the same place always has the same."""
    fact.fact_id = ""
    fact.fact_id = event_id("fact", fact.SerializeToString(deterministic=True))
    return fact
