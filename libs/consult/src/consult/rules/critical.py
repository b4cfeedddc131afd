"""Critical values: results that a laboratory would telephone."""

from grounding import Sources, Statement
from grounding.kinds import latest
from grounding.statements import Words
from knowledge.families import criticals
from knowledge.record import Patient
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import ClinicalFact

from consult import kept
from consult.rule import Rule
from consult.rules import parts


def critical_values(sources: Sources) -> list[Statement]:
    """The newest result of an analyte of the rows, not older than 30 days, at or beyond its limit, with the comment of
    the laboratory on it.

    Source: the rows of knowledge's `criticals`, each with its own.
    """
    patient = Patient(sources, ())
    findings = (
        finding
        for row in kept.knowledge(sources).valid(sources.today)
        if row.family == criticals.FAMILY.name
        for finding in criticals.evaluate(row, patient)
    )
    return [_alert(sources.fact(fact_id)) for finding in findings for fact_id in sorted(finding.subject)]


def _alert(fact: ClinicalFact) -> Statement:
    words = (Words("Critical value: "), *latest.measured(fact, capital=False))
    return parts.statement(wire.STATEMENT_KIND_ALERT, *words)


RULES = (Rule(critical_values, place=10),)
