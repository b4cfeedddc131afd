"""What memory answered about a patient, as the sources of one consultation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from grounding import Sources
from knowledge import Asked, Knowledge, shipped
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.record.v1.context_pb2 import Context, Contradiction, Note, Passage, RecordedFact
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_APPOINTMENT,
    FACT_KIND_ENCOUNTER,
    FACT_STATUS_ENTERED_IN_ERROR,
    FACT_STATUS_ORDERED,
    FACT_STATUS_PRELIMINARY,
    ClinicalFact,
    PatientKey,
)

from consult import kept, knowing

_PLANNED = (FACT_STATUS_ORDERED, FACT_STATUS_PRELIMINARY)


@dataclass(frozen=True, slots=True)
class SignedAssessment:
    """The last assessment of this patient that a physician signed."""

    assessment: Assessment
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Timeline:
    """Every fact of a patient, superseded ones included, with all identifiers and contradictions."""

    facts: Sequence[RecordedFact] = ()
    identifiers: Sequence[PatientKey] = ()
    contradictions: Sequence[Contradiction] = ()
    # Facts that were not open to who asked.
    left_out: int = 0
    # When the record had last learned anything; None where nobody says.
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The whole timeline for the rules, the context pack for the model, and the last signed assessment.

    `passages`: those that rules may cite (`rules.CITED_PASSAGES`), as far as the library has them.
    `notes`: whole texts of documents, where they are to be read. `degraded`: what memory could not give. `knowledge`:
    the rows of medical knowledge that hold here.
    """

    timeline: Timeline
    context: Context
    passages: tuple[Passage, ...]
    asked_at: datetime
    signed: SignedAssessment | None = None
    notes: tuple[Note, ...] = ()
    degraded: tuple[str, ...] = ()
    knowledge: Knowledge = field(default_factory=shipped)

    def sources(
        self,
        facts: tuple[ClinicalFact, ...] = (),
        passages: tuple[Passage, ...] = (),
        question: str = "",
        proposed: Sequence[Asked] = (),
    ) -> Sources:
        """Everything that may be cited, with the rows that speak. `facts` and `passages`: what tools brought in during
        the episode; `question` and `proposed`: whose drugs rows speak of beside those that are taken.
        """
        known = {each.fact.fact_id for each in [*self.timeline.facts, *self.context.facts]}
        added = [RecordedFact(fact=fact) for fact in facts if fact.fact_id not in known]
        # The timeline comes last: it alone knows what was superseded.
        plain = Sources.of(
            self.as_of,
            [*added, *self.context.facts, *filter(_is_told, self.timeline.facts)],
            [*passages, *self.context.passages, *self.passages],
            self.timeline.contradictions or self.context.contradictions,
            self.timeline.identifiers,
            notes=self.notes,
        )
        findings = knowing.findings(plain, question, self.knowledge, proposed)
        rows = (self.knowledge.passage(each.row) for each in findings)
        return kept.keep(plain.with_passages(rows), findings, self.knowledge)

    @property
    def concerning(self) -> list[str]:
        """The passages that memory found to concern the question, the best first."""
        return [passage.passage_id for passage in self.context.passages]

    @property
    def signed_at(self) -> datetime | None:
        return self.signed.signed_at if self.signed else None

    @property
    def as_of(self) -> datetime:
        """The moment of the question, or of the newest entry where the record runs ahead of this clock: of what stands,
        and is no visit to come.
        """
        told = filter(_has_come, self.timeline.facts)
        starts = (each.fact.valid_from for each in told if each.fact.HasField("valid_from"))
        return max([self.asked_at, *(start.ToDatetime(tzinfo=UTC) for start in starts)])


def _is_told(recorded: RecordedFact) -> bool:
    """An appointment is a plan: nothing of the patient is known by it."""
    return recorded.fact.kind != FACT_KIND_APPOINTMENT


def _has_come(recorded: RecordedFact) -> bool:
    """It stands, and is no visit to come."""
    fact = recorded.fact
    if recorded.HasField("superseded_at") or fact.status == FACT_STATUS_ENTERED_IN_ERROR:
        return False
    return _is_told(recorded) and not (fact.kind == FACT_KIND_ENCOUNTER and fact.status in _PLANNED)
