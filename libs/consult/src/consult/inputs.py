"""What an episode starts from: context, what the rules said, what can be computed, what is absent, since when."""

from collections.abc import Sequence
from dataclasses import dataclass

from grounding import Sources, keys
from harness import RULES
from harness.tools import TOOLS
from longitude.reasoning.v1.assessment_pb2 import (
    STATEMENT_KIND_ALERT,
    STATEMENT_KIND_PROPOSAL,
    STATEMENT_KIND_QUESTION,
    AssessedStatement,
)
from longitude.reasoning.v1.episode_pb2 import EpisodeInputs, Finding, Policy
from longitude.record.v1.fact_pb2 import CodedConcept
from terminology.concepts import LOINC
from terminology.loinc import ACR, CREATININE, EGFR, HBA1C, POTASSIUM
from terminology.names import short_name

from consult.computing import computable
from consult.reading import reach, readable
from consult.record import Record

FIRST_VISIT, FOLLOW_UP = "first_visit", "follow_up"
# What a kidney or diabetes question expects to find; named as absent where it was never measured.
_EXPECTED = (EGFR, CREATININE, POTASSIUM, HBA1C, ACR)
_MAX_OPEN = 3
# What the model must know is said; plain values it may repeat, since repetitions are dropped afterwards.
_TOLD = (STATEMENT_KIND_ALERT, STATEMENT_KIND_QUESTION, STATEMENT_KIND_PROPOSAL)
# A finding tells the model what is said already; the long words of guidance are not for it to read.
_FINDING_CHARACTERS = 110
# Tokens for findings, calculations and absences beside the record's own lines.
_BESIDE_RECORD = 500


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens that the record's lines may take of what the model reads, and that it may write freely (0: nothing)."""

    context_tokens: int
    prose_tokens: int = 0


def compile_inputs(
    question: str, record: Record, sources: Sources, checked: Sequence[AssessedStatement], budget: Budget
) -> EpisodeInputs:
    """`checked`: what the rules said, after the gate."""
    facts = readable(record, sources)
    inputs = EpisodeInputs(
        question=question,
        context=record.context,
        flow=FIRST_VISIT,
        policy=Policy(context_tokens=budget.context_tokens + _BESIDE_RECORD, prose_tokens=budget.prose_tokens),
        findings=[*_findings(checked), *_open_points(record)],
        calculations=computable(sources),
        absences=_absences(sources),
        tools=sorted(TOOLS),
        reach=reach((line.fact_id for line in record.context.lines), facts),
        asked_fact_ids=_asked(checked),
    )
    if facts.since is not None:
        inputs.flow = FOLLOW_UP
        inputs.since.FromDatetime(facts.since)
    _add_facts_of_calculations(inputs, record)
    return inputs


def of_rules_alone(question: str, record: Record, checked: Sequence[AssessedStatement]) -> EpisodeInputs:
    """Where no role takes part nobody chooses, and nothing is laid out to choose from."""
    findings = [*_findings(checked), *_open_points(record)]
    return EpisodeInputs(question=question, context=record.context, flow=RULES.name, findings=findings)


def _add_facts_of_calculations(inputs: EpisodeInputs, record: Record) -> None:
    """A calculation may need facts that did not fit the pack: the episode holds them, without a line."""
    held = {each.fact.fact_id for each in inputs.context.facts}
    needed = {fact_id for each in inputs.calculations for fact_id in (each.about, *each.fact_ids)} - held
    inputs.context.facts.extend(each for each in record.timeline.facts if each.fact.fact_id in needed)


def _asked(checked: Sequence[AssessedStatement]) -> list[str]:
    """The facts that the rules ask the physician about already."""
    asked = (each for each in checked if each.released and each.kind == STATEMENT_KIND_QUESTION)
    return list(dict.fromkeys(each.fact_id for statement in asked for each in statement.citations if each.fact_id))


def _findings(checked: Sequence[AssessedStatement]) -> list[Finding]:
    return [
        Finding(
            name=each.author_name,
            text=_short(each.text),
            fact_ids=[citation.fact_id for citation in each.citations if citation.fact_id],
            passage_ids=[citation.passage_id for citation in each.citations if citation.passage_id],
        )
        for each in checked
        if each.released and each.kind in _TOLD
    ]


def _short(text: str) -> str:
    """Without the quotation that follows."""
    lead = text.partition("“")[0].strip()
    return lead if len(lead) <= _FINDING_CHARACTERS else lead[:_FINDING_CHARACTERS].rsplit(" ", 1)[0] + " ..."


def _open_points(record: Record) -> list[Finding]:
    """Questions and proposals of the last signed assessment: a follow-up starts from them."""
    if record.signed is None:
        return []
    kinds = (STATEMENT_KIND_QUESTION, STATEMENT_KIND_PROPOSAL)
    open_ones = [each for each in record.signed.assessment.statements if each.released and each.kind in kinds]
    return [Finding(name="last signed assessment", text=_short(each.text)) for each in open_ones[:_MAX_OPEN]]


def _absences(sources: Sources) -> list[CodedConcept]:
    """Expected results that the whole record does not hold."""
    expected = (CodedConcept(system=LOINC, code=code) for code in _EXPECTED)
    missing = [concept for concept in expected if not sources.with_key(keys.of_concept(concept))]
    for concept in missing:
        concept.display = short_name(concept)
    return missing
