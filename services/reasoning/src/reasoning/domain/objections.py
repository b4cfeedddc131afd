"""Why a true statement of the model may still be withheld: it does not belong to this patient or this question."""

from collections.abc import Collection

from grounding import Sources, Statement
from longitude.ingestion.v1.clinical_fact_pb2 import FACT_KIND_ALLERGY, FACT_KIND_PROBLEM
from longitude.reasoning.v1.assessment_pb2 import STATEMENT_KIND_EVIDENCE

from reasoning.domain.rules.contradictions import is_unconfirmed

DOUBTED = "the verifying agent doubts that it answers the question"
DISPUTED = "the record contradicts itself about this, or it is unconfirmed; it is put as a question"
OFF_TOPIC = "the passage does not concern the question"


def objection(statement: Statement, sources: Sources, concerning: Collection[str], *, doubted: bool) -> str:
    """Empty when there is none. `concerning`: the passages that memory found to concern the question."""
    if statement.kind == STATEMENT_KIND_EVIDENCE and not set(statement.passage_ids) <= set(concerning):
        return OFF_TOPIC
    if any(_is_disputed(fact_id, sources) for fact_id in statement.fact_ids):
        return DISPUTED
    return DOUBTED if doubted else ""


def _is_disputed(fact_id: str, sources: Sources) -> bool:
    """Of drugs, both sides may be told; an allergy or problem that may be another's is only asked about."""
    fact = sources.fact(fact_id)
    return is_unconfirmed(fact) or (fact_id in sources.disputed and fact.kind in (FACT_KIND_ALLERGY, FACT_KIND_PROBLEM))
