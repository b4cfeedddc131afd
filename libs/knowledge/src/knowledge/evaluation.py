"""Which rows speak about a patient, the most urgent first, and of one thing the nearest row."""

from collections.abc import Iterable, Iterator, Sequence

from grounding import Sources
from longitude.record.v1.fact_pb2 import ClinicalFact

from knowledge import families
from knowledge.finding import Finding
from knowledge.library import Knowledge
from knowledge.record import Asked, Patient

__all__ = ["Asked", "evaluate"]


def evaluate(
    knowledge: Knowledge, sources: Sources, taken: Sequence[ClinicalFact], asked: Sequence[Asked] = ()
) -> list[Finding]:
    """What the rows that are valid today say. `taken`: the orders that count as taken now; `asked`: drugs that the
    question names and the record does not have.
    """
    patient = Patient(sources, taken, asked)
    spoken = (
        finding
        for row in knowledge.valid(patient.today)
        for finding in families.known()[row.family].evaluate(row, patient)
    )
    return sorted(_nearest(spoken), key=lambda each: (not each.asked, each.row.urgency.rank))


def _nearest(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Of several that are about one thing, the most urgent, and of those the narrowest."""
    by_subject: dict[tuple[str, frozenset[str]], Finding] = {}
    for each in findings:
        key = (_group(each), each.subject)
        other = by_subject.get(key)
        if other is None or _rank(each) < _rank(other):
            by_subject[key] = each
    return iter(by_subject.values())


def _group(finding: Finding) -> str:
    """Families that speak of the same pairs."""
    return "interactions" if finding.row.family == "duplicates" else finding.row.family


def _rank(finding: Finding) -> tuple[int, int]:
    return finding.row.urgency.rank, -finding.narrow
