"""Coded occurrences: a place of a document that holds a code, and what kind of place it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from longitude.record.v1.fact_pb2 import CodedConcept


class Kind(StrEnum):
    """What a code is said of."""

    OBSERVATION = "observation"
    ANSWER = "answer"
    PROBLEM = "problem"
    MEDICATION = "medication"
    ALLERGY = "allergy"
    PROCEDURE = "procedure"
    IMMUNISATION = "immunisation"
    ENCOUNTER = "encounter"
    DOCUMENT = "document"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class Coding:
    """A code with its system; a unit has no system, and its spelling is the code."""

    system: str
    code: str
    display: str = ""

    @property
    def concept(self) -> CodedConcept:
        return CodedConcept(system=self.system, code=self.code, display=self.display)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place with its codings: the same thing in several systems."""

    kind: Kind
    codings: tuple[Coding, ...]


def occurrence(kind: Kind, codings: Iterable[Coding]) -> list[Occurrence]:
    """An occurrence, if anything of it has a code."""
    coded = tuple(coding for coding in codings if coding.code)
    return [Occurrence(kind, coded)] if coded else []
