"""The current facts of one record, as the tools read them: newest first. Pure, so what a call would bring is known.

Guarantee: the same record gives the same facts, whether a tool answers or the episode's inputs foretell it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from grounding.facts import in_time
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact, FactKind


@dataclass(frozen=True, slots=True)
class Readable:
    """Facts by id, and the moment that changes are counted from (None at a first visit)."""

    facts: Mapping[str, RecordedFact]
    since: datetime | None

    def of_kind(self, kind: "FactKind.ValueType") -> list[RecordedFact]:
        return [recorded for recorded in self.facts.values() if recorded.fact.kind == kind]

    def of_the_same_code(self, fact_id: str) -> list[RecordedFact]:
        """KeyError for a fact that is not there."""
        code = self.facts[fact_id].fact.code
        return [recorded for recorded in self.facts.values() if recorded.fact.code == code]

    def read_from(self, documents: frozenset[str]) -> list[RecordedFact]:
        """Facts that were read from these documents."""
        return [recorded for recorded in self.facts.values() if recorded.fact.source.document_id in documents]

    def from_documents(self) -> list[RecordedFact]:
        """All that was read from any document, and the documents."""
        return [recorded for recorded in self.facts.values() if recorded.fact.source.document_id]

    def began(self, fact: ClinicalFact) -> bool:
        """Whether it began to hold since the last visit; a result of no stated time, whether it was reported since."""
        if fact.kind == FactKind.FACT_KIND_RESULT and not fact.HasField("valid_from"):
            return self._later(fact.stated_at)
        return self._later(fact.valid_from)

    def moved(self, fact: ClinicalFact) -> bool:
        """Whether it began or ended since the last visit. A result holds at one instant: it does not end."""
        ends = fact.HasField("valid_to") and not (fact.HasField("valid_from") and fact.valid_to == fact.valid_from)
        return self.began(fact) or (ends and self._later(fact.valid_to))

    def before(self, fact: ClinicalFact) -> list[RecordedFact]:
        """The last result of the same code that was known at the last visit: what a change is told against."""
        if fact.kind != FactKind.FACT_KIND_RESULT:
            return []
        earlier = (other for other in self.of_the_same_code(fact.fact_id) if not self.began(other.fact))
        return newest_first(earlier)[:1]

    def _later(self, stamp: Timestamp) -> bool:
        return self.since is not None and stamp.ToDatetime(tzinfo=UTC) > self.since


def newest_first(facts: Iterable[RecordedFact]) -> list[RecordedFact]:
    return sorted(facts, key=lambda one: in_time(one.fact), reverse=True)
