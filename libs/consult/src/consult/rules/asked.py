"""What the question itself names or asks for: its state in the record, so that a false premise meets the truth beside
it, and the evidence that concerns it.
"""

import re
from collections.abc import Iterable

from grounding import Sources, Statement, facts
from grounding.comparing.record import Record
from grounding.kinds import absence, evidence, medication, problem
from grounding.reading.names import DRUG
from grounding.reading.nodes import Node
from grounding.reading.tokens import tokens
from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION, FACT_KIND_PROBLEM, ClinicalFact, FactKind

from consult.rules import parts

# Words long enough to say what a question is about.
_TERM = re.compile(r"\w{4,}")
# Words that ask for everything of a kind.
_ASKS_FOR: tuple[tuple["FactKind.ValueType", re.Pattern[str]], ...] = (
    (FACT_KIND_MEDICATION, re.compile(r"\b(medications?|medicines?|drugs?|treatments?|tablets?)\b", re.IGNORECASE)),
    (FACT_KIND_PROBLEM, re.compile(r"\b(problems?|diagnos[ei]s|conditions?|diseases?)\b", re.IGNORECASE)),
)


def named_in_the_question(sources: Sources, question: str) -> list[Statement]:
    """Each drug that the question names, as the record has it (active, stopped, or nowhere); all of a kind it asks for.

    Source: the record itself. A question that takes something for granted is answered by what is recorded.
    """
    found = [fact for kind, pattern in _ASKS_FOR if pattern.search(question) for fact in _all(sources, kind)]
    statements = [_state(sources, fact) for fact in found]
    for mention in _drugs(sources, question):
        named = [fact for fact in sources.of_kind(FACT_KIND_MEDICATION) if facts.keys(fact) & mention.value]
        if named:
            statements.append(medication.statement(sources, _standing(sources, named).fact_id))
        elif not any(facts.keys(fact) & mention.value for fact in sources.current):
            statements.append(absence.statement(sources, mention.text))
    return list(dict.fromkeys(statements))


def evidence_on_the_question(sources: Sources, question: str, passage_ids: Iterable[str]) -> list[Statement]:
    """Of each passage that concerns the question, the sentence that has most of its words.

    Source: the passage itself; which passages concern a question is decided by `consult.context.relevance`.
    """
    terms = _TERM.findall(question)
    return [evidence.statement(sources, each, terms) for each in passage_ids]


def _drugs(sources: Sources, question: str) -> list[Node]:
    """Drugs by name or brand, in the order of the question; names of classes are no drugs."""
    known = Record(sources, sources.current).known
    return [each for each in tokens(question, sources.today, known) if DRUG in each.kinds]


def _all(sources: Sources, kind: "FactKind.ValueType") -> list[ClinicalFact]:
    """What is in force of a kind, one entry per name."""
    present = [fact for fact in sources.active(kind) if not facts.is_absent(fact)]
    by_name: dict[str, list[ClinicalFact]] = {}
    for fact in present:
        by_name.setdefault(facts.name_of(fact), []).append(fact)
    return [_standing(sources, same) for same in by_name.values()]


def _standing(sources: Sources, same: list[ClinicalFact]) -> ClinicalFact:
    """The entry that says how things stand: one in force before one that is over."""
    going_on = [fact for fact in same if not facts.has_ended(fact, sources.today)]
    return parts.newest_first(going_on or same)[0]


def _state(sources: Sources, fact: ClinicalFact) -> Statement:
    return (
        medication.statement(sources, fact.fact_id)
        if fact.kind == FACT_KIND_MEDICATION
        else problem.statement(sources, fact.fact_id)
    )
