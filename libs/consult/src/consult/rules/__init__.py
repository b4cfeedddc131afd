"""Rules speak first: what must never be missed is said whether or not the model asks.

Each rule is a pure function from sources to statements, small, named, with its source in its docstring. The order is
the order of reading: what can harm first.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from grounding import Sources, Statement

from consult.rules.allergy import drug_of_an_allergic_class
from consult.rules.asked import evidence_on_the_question, named_in_the_question
from consult.rules.changes import since_last_encounter
from consult.rules.contradictions import open_contradictions, unconfirmed_allergies
from consult.rules.corrections import corrected_results
from consult.rules.critical import critical_values
from consult.rules.duplicate import two_drugs_of_one_class
from consult.rules.followup import since_last_signed
from consult.rules.imaging import imaging_findings
from consult.rules.kidney import kidney_function_trend, rapid_progression
from consult.rules.metformin import metformin_and_kidney_function
from consult.rules.nsaid import nsaid_with_chronic_kidney_disease, nsaid_with_raas_blockade
from consult.rules.potassium import hyperkalaemia_with_raas_blockade

Rule = Callable[[Sources], list[Statement]]

RULES: tuple[Rule, ...] = (
    critical_values,
    drug_of_an_allergic_class,
    metformin_and_kidney_function,
    nsaid_with_raas_blockade,
    nsaid_with_chronic_kidney_disease,
    hyperkalaemia_with_raas_blockade,
    two_drugs_of_one_class,
    rapid_progression,
    open_contradictions,
    unconfirmed_allergies,
    kidney_function_trend,
    since_last_encounter,
    corrected_results,
    imaging_findings,
)

# Passages that rules may cite; they are asked for by id's own terms before the rules speak.
CITED_PASSAGES: dict[str, str] = {
    "fda-metformin-renal": "metformin contraindicated eGFR below 30 renal impairment",
    "kdigo-2024-metformin": "metformin dose eGFR chronic kidney disease KDIGO",
    "fda-nsaid-acei-renal": "NSAID with ACE inhibitor deterioration of renal function",
    "kdigo-2024-nsaid": "NSAID avoid chronic kidney disease KDIGO",
    "aaaai-2022-penicillin-allergy": "penicillin allergy label verification anaphylaxis",
    "kdigo-2024-progression": "rapid progression decline of eGFR per year KDIGO",
    "fda-acei-hyperkalaemia": "ACE inhibitor hyperkalaemia potassium",
    "fda-dual-raas": "dual blockade renin-angiotensin system ACE inhibitor ARB",
    "fda-two-nsaids": "two NSAIDs together gastrointestinal",
}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A statement with the name of the rule that made it."""

    rule: str
    statement: Statement


def speak(
    sources: Sources, question: str = "", concerning: Iterable[str] = (), signed_at: datetime | None = None
) -> list[Spoken]:
    """Everything the rules have to say about a record, in reading order; last what the question itself asks for.

    `concerning`: the passages that memory found to concern the question, the best first. `signed_at`: of the last
    signed assessment.
    """
    spoken = [Spoken(rule.__name__, statement) for rule in RULES for statement in rule(sources)]
    asked = named_in_the_question(sources, question)
    evidence = evidence_on_the_question(sources, question, concerning)
    new = since_last_signed(sources, signed_at) if signed_at is not None else []
    spoken += [Spoken(named_in_the_question.__name__, each) for each in asked]
    spoken += [Spoken(evidence_on_the_question.__name__, each) for each in evidence]
    return [*spoken, *(Spoken(since_last_signed.__name__, each) for each in new)]
