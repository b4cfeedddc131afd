"""Why a true statement of the model may still be withheld: it does not belong to this patient or this question."""

import re

from grounding import Sources, Statement, facts
from grounding.concepts import class_key, key
from grounding.drugs import BY_RXCUI, RXNORM
from longitude.ingestion.v1.clinical_fact_pb2 import FACT_KIND_ALLERGY, FACT_KIND_PROBLEM
from longitude.memory.v1.memory_service_pb2 import EvidencePassage
from longitude.reasoning.v1.assessment_pb2 import STATEMENT_KIND_EVIDENCE, STATEMENT_KIND_QUESTION

from reasoning.domain.rules.contradictions import is_unconfirmed

DOUBTED = "the verifying agent doubts that it answers the question"
DISPUTED = "the record contradicts itself about this, or it is unconfirmed; it is put as a question"
INSTRUCTING = "it reads as an instruction; what is done is the physician's to say"
FOREIGN = "the passage concerns drugs that are not in this record"

# Bare verbs of doing: said of what was done they have another form (`ordered`, `was stopped`).
_INSTRUCTS = re.compile(
    r"\b(?:add|administer|avoid|begin|change|continue|decrease|discontinue|give|hold|increase|order|prescribe|reduce|"
    r"release|repeat|replace|resume|sign|start|stop|switch|take|use|withhold)\b",
    re.IGNORECASE,
)


def objection(statement: Statement, sources: Sources, *, doubted: bool) -> str:
    """Empty when there is none."""
    if statement.kind == STATEMENT_KIND_EVIDENCE and not all(
        concerns(sources.passage(each), sources) for each in statement.passage_ids
    ):
        return FOREIGN
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


def concerns(passage: EvidencePassage, sources: Sources) -> bool:
    """Whether a drug that the passage is about, or one of its class, is in the record; yes if it names none."""
    about = {
        each for concept in passage.codes if concept.system == RXNORM for each in _meant(key(concept), concept.code)
    }
    recorded = {each for fact in sources.current for each in facts.keys(fact)}
    return not about or bool(about & recorded)


def _meant(concept_key: str, rxcui: str) -> tuple[str, ...]:
    drug = BY_RXCUI.get(rxcui)
    return (concept_key, class_key(drug.drug_class)) if drug and drug.drug_class.value else (concept_key,)
