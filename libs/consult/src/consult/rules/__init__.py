"""Rules speak first: what must never be missed is said whether or not the model asks.

Each module of this folder holds rules; each rule is a pure function from sources to statements, small, named, with its
source in its docstring.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from grounding import Sources, Statement
from grounding.folder import modules
from knowledge import Finding
from knowledge.terms import Urgency
from longitude.reasoning.v1.assessment_pb2 import STATEMENT_KIND_ALERT

from consult import kept
from consult.answering import reasons
from consult.rule import Rule
from consult.rules.asked import evidence_on_the_question, named_in_the_question
from consult.rules.followup import since_last_signed


def _read() -> Iterator[Rule]:
    """Modules without rules hold what rules share."""
    for module in modules(__name__):
        yield from getattr(module, "RULES", ())


# In the order of reading.
RULES: tuple[Rule, ...] = tuple(sorted(_read(), key=lambda rule: rule.place))
# The place of rows in the order of reading: behind the rules about what is dangerous now.
_ROWS = 75
# Passages that rules and answers may cite -> the terms that each is asked for by, before the rules speak.
CITED_PASSAGES: Mapping[str, str] = {
    **reasons.passages(),
    **{passage: terms for rule in RULES for passage, terms in rule.cites.items()},
}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A statement with the name of the rule that made it; where a row of medical knowledge speaks, its family, the row
    with its version and how urgent it is. `asked`: the drugs that it is about and that the question asks to be given.
    """

    rule: str
    statement: Statement
    row: str = ""
    urgency: Urgency | None = None
    asked: tuple[str, ...] = ()


def speak(
    sources: Sources, question: str = "", concerning: Iterable[str] = (), signed_at: datetime | None = None
) -> list[Spoken]:
    """Everything the rules have to say about a record, in reading order; last what the question itself asks for.

    `concerning`: the passages that memory found to concern the question, the best first. `signed_at`: of the last
    signed assessment.
    """
    holding = [rule for rule in RULES if _holds(rule, sources)]
    first = [Spoken(rule.name, each) for rule in holding if rule.place < _ROWS for each in rule.speak(sources)]
    after = [Spoken(rule.name, each) for rule in holding if rule.place >= _ROWS for each in rule.speak(sources)]
    spoken = [*_named(sources, first), *_rows(sources, first), *after]
    asked = named_in_the_question(sources, question)
    evidence = evidence_on_the_question(sources, question, concerning)
    new = since_last_signed(sources, signed_at) if signed_at is not None else []
    spoken += [Spoken(named_in_the_question.__name__, each) for each in asked]
    spoken += [Spoken(evidence_on_the_question.__name__, each) for each in evidence]
    return [*spoken, *(Spoken(since_last_signed.__name__, each) for each in new)]


def _holds(rule: Rule, sources: Sources) -> bool:
    """Whether one of the rows that a rule stands on speaks here and today."""
    return not rule.rows or any(kept.row(sources, each) for each in rule.rows)


def _named(sources: Sources, spoken: Iterable[Spoken]) -> Iterator[Spoken]:
    """With the row that says the same of the same facts."""
    findings = [each for each in kept.findings(sources) if each.subject and not each.due]
    for one in spoken:
        about = frozenset(one.statement.fact_ids)
        same = next((each for each in findings if each.subject <= about), None)
        is_alert = one.statement.kind == STATEMENT_KIND_ALERT
        yield replace(one, row=same.row.name) if same and is_alert else one


def _rows(sources: Sources, before: Iterable[Spoken]) -> list[Spoken]:
    """What rows say and no rule said of the same facts before; what is due some day is for the forms."""
    alerts = [frozenset(each.statement.fact_ids) for each in before if each.statement.kind == STATEMENT_KIND_ALERT]
    return [
        of_row(each)
        for each in kept.findings(sources)
        if not each.due and not (each.subject and any(each.subject <= alert for alert in alerts))
    ]


def of_row(finding: Finding) -> Spoken:
    """What a row says."""
    row = finding.row
    return Spoken(row.family, finding.statement, row.name, row.urgency, finding.asked)
