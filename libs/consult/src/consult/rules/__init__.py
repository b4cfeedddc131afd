"""Rules speak first: what must never be missed is said whether or not the model asks.

Each module of this folder holds rules; each rule is a pure function from sources to statements, small, named, with its
source in its docstring.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from grounding import Sources, Statement
from grounding.folder import modules

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
# Passages that rules and answers may cite -> the terms that each is asked for by, before the rules speak.
CITED_PASSAGES: Mapping[str, str] = {
    **reasons.passages(),
    **{passage: terms for rule in RULES for passage, terms in rule.cites.items()},
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
    spoken = [Spoken(rule.name, statement) for rule in RULES for statement in rule.speak(sources)]
    asked = named_in_the_question(sources, question)
    evidence = evidence_on_the_question(sources, question, concerning)
    new = since_last_signed(sources, signed_at) if signed_at is not None else []
    spoken += [Spoken(named_in_the_question.__name__, each) for each in asked]
    spoken += [Spoken(evidence_on_the_question.__name__, each) for each in evidence]
    return [*spoken, *(Spoken(since_last_signed.__name__, each) for each in new)]
