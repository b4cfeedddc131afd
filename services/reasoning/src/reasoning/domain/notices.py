"""What an assessment says of evidence that was withdrawn, and of rows that drifted, after it was written.

Guarantee: one notice for each edition, however often it is cited and however often its withdrawal was heard of; an
assessment that cites another edition of the same passage has none.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from knowledge import Knowledge
from knowledge.drift import reasons
from longitude.memory.v1.events_pb2 import EvidenceWithdrawn
from longitude.reasoning.v1.assessment_pb2 import Assessment, Citation, DriftedRow, Notice


def cited_passages(assessment: Assessment) -> set[str]:
    """The passages that its statements and questions rest on."""
    return {each.passage_id for each in _citations(assessment) if each.passage_id}


def notices(assessment: Assessment, withdrawals: Iterable[EvidenceWithdrawn]) -> list[Notice]:
    """In the order of the withdrawals."""
    return [_notice(assessment, each) for each in withdrawals if _rests_on(_citations(assessment), each, assessment)]


def drifted(assessment: Assessment, knowledge: Knowledge, today: date) -> list[DriftedRow]:
    """Rows that spoke in it and would not speak so now, each once."""
    spoke: dict[str, list[str]] = defaultdict(list)
    for each in assessment.statements:
        if each.row:
            spoke[each.row].append(each.statement_id)
    told = reasons(knowledge, spoke, today)
    return [DriftedRow(row=row, reason=reason, statement_ids=spoke[row]) for row, reason in told.items()]


def _citations(assessment: Assessment) -> Iterator[Citation]:
    for statement in assessment.statements:
        yield from statement.citations
    for question in assessment.questions:
        yield from question.citations


def _rests_on(citations: Iterable[Citation], withdrawn: EvidenceWithdrawn, assessment: Assessment) -> bool:
    return any(_is_of(each, withdrawn, assessment) for each in citations)


def _is_of(citation: Citation, withdrawn: EvidenceWithdrawn, assessment: Assessment) -> bool:
    """By edition; where an older assessment names none, by passage and time."""
    if citation.HasField("release"):
        return citation.release.edition_id == withdrawn.edition_id
    drafted, at = assessment.drafted_at, withdrawn.withdrawn_at
    was_before = (drafted.seconds, drafted.nanos) <= (at.seconds, at.nanos)
    return citation.passage_id == withdrawn.passage_id and was_before


def _notice(assessment: Assessment, withdrawn: EvidenceWithdrawn) -> Notice:
    statements = [
        each.statement_id for each in assessment.statements if _rests_on(each.citations, withdrawn, assessment)
    ]
    return Notice(
        edition_id=withdrawn.edition_id,
        passage_id=withdrawn.passage_id,
        title=withdrawn.title,
        reason=withdrawn.reason,
        withdrawn_by=withdrawn.by.name,
        withdrawn_at=withdrawn.withdrawn_at,
        statement_ids=statements,
    )
