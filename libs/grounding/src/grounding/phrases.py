"""Parts that several kinds of statement share: days, states and doses as far as the fact states them."""

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts
from grounding.statements import Day, Dose, Part, Words


def on(fact: ClinicalFact) -> tuple[Part, ...]:
    """` on 2026-10-05`, the day it begins to hold."""
    return (Words(" on "), Day(fact.fact_id)) if facts.starts_on(fact) else ()


def since(fact: ClinicalFact) -> tuple[Part, ...]:
    return (Words(" since "), Day(fact.fact_id)) if facts.starts_on(fact) else ()


def ended_on(fact: ClinicalFact) -> tuple[Part, ...]:
    return (Words(" on "), Day(fact.fact_id, end=True)) if facts.ends_on(fact) else ()


def dose(fact: ClinicalFact) -> tuple[Part, ...]:
    stated = fact.dosage.dose.value or fact.dosage.route or fact.dosage.frequency
    return (Words(" "), Dose(fact.fact_id)) if stated else ()


def when(fact: ClinicalFact) -> tuple[int, int, str]:
    """Orders facts by the time they begin to hold."""
    return (fact.valid_from.seconds, fact.valid_from.nanos, fact.fact_id)
