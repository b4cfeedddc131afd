"""Everything an agent can do. There is no action that orders, changes or stops anything.

A statement names what it rests on and carries no value: the runtime fills in values from the facts named.
`Propose` asks the physician to look; it takes effect through a review alone.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Code:
    """A concept by code system URI and code."""

    system: str
    code: str


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest result of its code."""

    fact_id: str


@dataclass(frozen=True, slots=True)
class Trend:
    """The results of one code, oldest first, at least two."""

    code: Code
    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What is new in one code since the last time; the newest fact last, what it is compared with before it."""

    code: Code
    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Medication:
    fact_id: str


@dataclass(frozen=True, slots=True)
class Allergy:
    fact_id: str


@dataclass(frozen=True, slots=True)
class Problem:
    fact_id: str


@dataclass(frozen=True, slots=True)
class Imaging:
    fact_id: str


@dataclass(frozen=True, slots=True)
class Evidence:
    passage_id: str


@dataclass(frozen=True, slots=True)
class Absence:
    """A concept that was looked for in the whole record and is not there."""

    code: Code


@dataclass(frozen=True, slots=True)
class Calculation:
    """A value that the runtime computes from facts by a named method."""

    name: str
    fact_ids: tuple[str, ...]


Statement: TypeAlias = (
    Latest | Trend | Change | Medication | Allergy | Problem | Imaging | Evidence | Absence | Calculation
)


class ProposalKind(StrEnum):
    REVIEW_MEDICATION = "review"
    REPEAT_RESULT = "repeat"
    CLARIFY_ALLERGY = "clarify"
    REVIEW_PROBLEM = "reconsider"


@dataclass(frozen=True, slots=True)
class Say:
    statement: Statement


@dataclass(frozen=True, slots=True)
class Propose:
    """A request to the physician's review, about facts, with the evidence it rests on."""

    kind: ProposalKind
    fact_ids: tuple[str, ...]
    passage_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A call of a reading tool about one fact, and what for."""

    tool: str
    fact_id: str
    purpose: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """The coordinator gives a part of the work to another role."""

    role: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """The verifier doubts a drafted statement or proposal, by its place in the draft from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Finish:
    pass


Action: TypeAlias = Say | Propose | Look | HandOver | Doubt | Finish


class Form(StrEnum):
    """The first word of an action as the model writes it."""

    LATEST = "latest"
    TREND = "trend"
    CHANGE = "change"
    MEDICATION = "medication"
    ALLERGY = "allergy"
    PROBLEM = "problem"
    IMAGING = "imaging"
    EVIDENCE = "evidence"
    ABSENCE = "absence"
    CALCULATION = "calculate"
    PROPOSE = "propose"
    LOOK = "look"
    ASK = "ask"
    DOUBT = "doubt"
    FINISH = "finish"


class ActionRefusedError(Exception):
    """The guard did not let a decoded action through; the text is a class of reasons, free of patient data."""
