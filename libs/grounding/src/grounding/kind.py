"""A kind of statement: the word an agent says, what it is about, how sources are chosen for it, and its wording.

Guarantee: a choice names sources by their ids and carries no value; what is said of them is filled in from the sources.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from longitude.reasoning.v1.assessment_pb2 import StatementKind
from longitude.reasoning.v1.episode_pb2 import Calculation
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept, FactKind

from grounding.sources import Sources
from grounding.statements import Statement

# What can be named, by the first letter of its handle: facts, evidence, computed values, what was looked for in vain.
SORTS: Mapping[str, type[Any]] = {"F": ClinicalFact, "E": Passage, "K": Calculation, "N": CodedConcept}


class NotSayableError(ValueError):
    """Nothing of this kind can be said of that source; the text is a class of reasons, free of patient data."""


@dataclass(frozen=True, slots=True)
class Concept:
    """A coded concept, as a value."""

    system: str
    code: str
    display: str = ""

    @classmethod
    def of(cls, coded: CodedConcept) -> "Concept":
        return cls(coded.system, coded.code, coded.display)


@dataclass(frozen=True, slots=True)
class Choice:
    """What an agent chose to say, resolved: every source by its id."""

    kind: str
    fact_ids: tuple[str, ...] = ()
    passage_id: str = ""
    concept: Concept | None = None
    calculation: str = ""


class Shown(Protocol):
    """What an agent is shown of a record."""

    def results(self, concept: CodedConcept) -> list[ClinicalFact]:
        """Results of one code that hold, oldest first."""

    def is_new(self, fact: ClinicalFact) -> bool:
        """Whether the fact began to hold after the time changes are counted from."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of statement; its file in `kinds/` (and a number in the contract) is all that it needs."""

    # First word of the action, and the name of the kind.
    word: str
    proto: "StatementKind.ValueType"
    # Sort of source that it is said of: a letter of SORTS.
    handle: str
    # Role -> the states in which it may say this.
    roles: Mapping[str, tuple[str, ...]]
    # NotSayableError where nothing of this kind can be said of the source.
    choose: Callable[[Any, Shown], Choice]
    # ValueError, CalculationError or UnknownSourceError where the sources do not carry it.
    say: Callable[[Sources, Choice], Statement]

    @property
    def hint(self) -> str:
        """How an agent is told to write it."""
        return f"{self.word} {self.handle}"


def of_fact(word: str, kind: "FactKind.ValueType") -> Callable[[ClinicalFact, Shown], Choice]:
    """Chooses one fact of a kind."""

    def choose(fact: ClinicalFact, _: Shown) -> Choice:
        if fact.kind != kind:
            raise NotSayableError("a fact of another kind")
        return Choice(word, (fact.fact_id,))

    return choose


def newest_of_its_code(fact: ClinicalFact, shown: Shown) -> list[ClinicalFact]:
    """All results of the fact's code and organism; NotSayableError unless it is the newest of them."""
    if fact.kind != FactKind.FACT_KIND_RESULT:
        raise NotSayableError("a fact of another kind")
    results = [each for each in shown.results(fact.code) if each.about == fact.about]
    if results[-1].fact_id != fact.fact_id:
        raise NotSayableError("not the newest result of its code")
    return results
