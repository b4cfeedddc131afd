"""Everything an agent can do. There is no action that orders, changes or stops anything.

A statement names what it rests on and carries no value: the runtime fills in values from the facts named.
`Propose` asks the physician to look, `AskPhysician` asks a question; they take effect through a review alone.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from grounding.kind import Choice
from longitude.reasoning.v1 import assessment_pb2


class ProposalKind(StrEnum):
    REVIEW_MEDICATION = "review"
    REPEAT_RESULT = "repeat"
    CLARIFY_ALLERGY = "clarify"
    REVIEW_PROBLEM = "reconsider"


@dataclass(frozen=True, slots=True)
class Say:
    """A typed statement of the draft: its kind and what it rests on."""

    choice: Choice


@dataclass(frozen=True, slots=True)
class Propose:
    """A request to the physician's review, about facts, with the evidence it rests on."""

    kind: ProposalKind
    fact_ids: tuple[str, ...]
    passage_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a reading tool about one fact (empty: the whole record), what for, and what it could change."""

    tool: str
    fact_id: str
    purpose: str
    would_change: tuple["assessment_pb2.StatementKind.ValueType", ...]


class QuestionPurpose(StrEnum):
    CONFIRMATION = "confirmation"
    REACTION = "reaction"
    ADHERENCE = "adherence"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class AskPhysician:
    """A question to the physician about one fact. It joins the draft, waits for the review and changes nothing."""

    fact_id: str
    purpose: QuestionPurpose


@dataclass(frozen=True, slots=True)
class HandOver:
    """The coordinator gives a part of the work to another role."""

    role: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """The verifier doubts a drafted statement or proposal, by its place in the draft from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Write:
    """One free turn of at most so many tokens, and the facts its text may rest on. The text is never an action."""

    tokens: int
    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Show:
    """The editor puts a candidate in front of the answer, by its place among the candidates from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Think:
    """One free turn of at most so many tokens. The model alone reads what it writes; it is no part of the outcome."""

    tokens: int


@dataclass(frozen=True, slots=True)
class Finish:
    pass


Action: TypeAlias = Say | Propose | Call | AskPhysician | HandOver | Doubt | Write | Show | Think | Finish


class ActionRefusedError(Exception):
    """The guard did not let a decoded action through; the text is a class of reasons, free of patient data."""
