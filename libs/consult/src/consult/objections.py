"""Why a true statement of the model may still be withheld: it does not belong to this patient or this question."""

import re
from collections.abc import Collection

from grounding import Sources, Statement
from longitude.reasoning.v1.assessment_pb2 import STATEMENT_KIND_EVIDENCE, STATEMENT_KIND_QUESTION
from longitude.record.v1.fact_pb2 import FACT_KIND_ALLERGY, FACT_KIND_PROBLEM

from consult.rules.contradictions import is_unconfirmed

DOUBTED = "the verifying agent doubts that it answers the question"
DISPUTED = "the record contradicts itself about this, or it is unconfirmed; it is put as a question"
INSTRUCTING = "it reads as an instruction; what is done is the physician's to say"
OFF_TOPIC = "the passage does not concern the question"

# Bare verbs of doing: said of what was done they have another form (`ordered`, `was stopped`).
_DOING = (
    "add", "administer", "avoid", "begin", "change", "continue", "decrease", "discontinue", "give", "hold", "increase",
    "order", "prescribe", "reduce", "release", "repeat", "replace", "resume", "sign", "start", "stop", "switch", "take",
    "use", "withhold",
)  # fmt: skip
_INSTRUCTS = re.compile(rf"\b(?:{'|'.join(_DOING)})\b", re.IGNORECASE)


def objection(statement: Statement, sources: Sources, concerning: Collection[str], *, doubted: bool) -> str:
    """Empty when there is none. `concerning`: the passages that memory found to concern the question."""
    if statement.kind == STATEMENT_KIND_EVIDENCE and not set(statement.passage_ids) <= set(concerning):
        return OFF_TOPIC
    asks = statement.kind == STATEMENT_KIND_QUESTION
    if not asks and any(_is_disputed(fact_id, sources) for fact_id in statement.fact_ids):
        return DISPUTED
    return DOUBTED if doubted else ""


def objection_to_text(text: str) -> str:
    """Of free text: true or not, it instructs nobody. Typed statements hold no such words."""
    return INSTRUCTING if _INSTRUCTS.search(text) else ""


def _is_disputed(fact_id: str, sources: Sources) -> bool:
    """Of drugs, both sides may be told; an allergy or problem that may be another's is only asked about."""
    fact = sources.fact(fact_id)
    return is_unconfirmed(fact) or (fact_id in sources.disputed and fact.kind in (FACT_KIND_ALLERGY, FACT_KIND_PROBLEM))
