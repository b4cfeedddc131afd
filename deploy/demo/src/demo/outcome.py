"""What one run of the demo saw, as plain values: the truths are checked on it and the page is drawn from it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from client.verify.event import ProvenLeaf
from client.verify.report import Report
from longitude.imaging.v1.events_pb2 import StudyAnalysed
from longitude.reasoning.v1 import assessment_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from demo.access import Access
from demo.ordering import Card
from demo.record import Record
from demo.watching import Watched

# How often the record makes each statement of each source: every number is 1 in a record without doubles.
Contents = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class Outcome:
    """One run: sending, the record before and after, what was seen unasked, the assessment, cards, looks, proofs."""

    acknowledgements: Counter[str]
    sent: int
    before: Contents
    # Whether all of the story was in the record before this run: then nothing may have changed.
    told_before: bool
    record: Record
    study: StudyAnalysed
    watched: Watched
    assessment: pb.Assessment
    review_id: str
    # What a clinical system is told when a drug is about to be signed, the most urgent first.
    cards: Sequence[Card]
    # None at a stack without demo people.
    access: Access | None
    proof: ProvenLeaf
    report: Report
    seconds: dict[str, float]

    @property
    def after(self) -> Contents:
        """The record's contents at the end."""
        return contents(self.record)

    def released(self, kind: pb.StatementKind.ValueType | None = None) -> Sequence[pb.AssessedStatement]:
        """Released statements, of one kind or all."""
        return [s for s in self.assessment.statements if s.released and kind in {None, s.kind}]

    def withheld(self) -> Sequence[pb.AssessedStatement]:
        """Statements that the gate did not let through."""
        return [s for s in self.assessment.statements if not s.released]


def contents(record: Record) -> Contents:
    """Everything the record states, counted by what it says and where it stands; recording times do not matter."""
    return Counter(_content(fact) for fact in record.facts)


def _content(fact: ClinicalFact) -> tuple[str, ...]:
    value = fact.WhichOneof("value")
    source = fact.source
    where = (source.control_id, source.segment, source.field, source.document_id, source.sop_instance_uid)
    what = (
        str(fact.kind),
        fact.code.code,
        str(getattr(fact, value)) if value else "",
        str(fact.identity),
        str(fact.assertion),
    )
    return (*what, *where, str(source.text_start), str(source.box), fact.valid_from.ToJsonString())
