"""A record as its reader sees it: what stands in it by kind, name and time. Only what a source stated as such counts:
what was read from letters or films is not what a physician's gold rests on.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal, InvalidOperation
from functools import cached_property

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.tables import Row

from testkit.questions.tables import by_id, rows, several

_ELSEWHERE = re.compile(r"\b(family|mother|father|sister|brother|history of|suspected|at risk)\b", re.IGNORECASE)
_TAG = re.compile(r" \([a-z /]+\)$")
_CHILDHOOD = range(18)
_GROWING = ("weight", "bmi", "systolic", "diastolic", "pulse")
_BIRTH, _SEX = "21112-8", "46098-0"


@dataclass(frozen=True)
class Chart:
    """The facts in force of one patient, oldest first."""

    patient: str
    facts: tuple[ClinicalFact, ...]

    @classmethod
    def of(cls, patient: str, recorded: Iterable[RecordedFact]) -> "Chart":
        standing = (each.fact for each in recorded if not each.HasField("superseded_at"))
        own = [fact for fact in standing if fact.status != pb.FACT_STATUS_ENTERED_IN_ERROR and is_stated(fact)]
        return cls(patient, tuple(sorted(own, key=lambda fact: (fact.valid_from.ToNanoseconds(), fact.fact_id))))

    @cached_property
    def today(self) -> str:
        """The last day of which there is an entry."""
        return max((day for fact in self.facts if (day := day_of(fact))), default="")

    @cached_property
    def sex(self) -> str:
        """`M`, `F`, or empty."""
        stated = next((fact for fact in self.facts if fact.code.code == _SEX), ClinicalFact())
        return (stated.coded.code or stated.text)[:1].upper()

    @cached_property
    def born(self) -> str:
        """The ISO day; empty where it is not known."""
        stated = next((fact.text for fact in self.facts if fact.code.code == _BIRTH), "").replace("-", "")
        return f"{stated[:4]}-{stated[4:6]}-{stated[6:8]}" if stated[:8].isdigit() else ""

    def age_on(self, day: str) -> int:
        """Completed years; -1 where the birth date is not known."""
        return int(day[:4]) - int(self.born[:4]) - (day[5:] < self.born[5:]) if self.born and day else -1

    def of_kind(self, kind: int) -> Iterator[ClinicalFact]:
        """Those that are there and have a day."""
        for fact in self.facts:
            if fact.kind == kind and fact.assertion != pb.ASSERTION_ABSENT and day_of(fact):
                yield fact

    def course(self, result: str) -> list[ClinicalFact]:
        """The numbers of a result, oldest first; of several codes those of the one that was measured the most often. Of
        what changes with growth, those of the adult, where there are any.
        """
        codes = several(by_id("results")[result]["codes"])
        course = max(([each for each in self._measured if code in codes_of(each)] for code in codes), key=len)
        grown = [each for each in course if self.age_on(day_of(each)) not in _CHILDHOOD]
        return grown if grown and result in _GROWING else course

    def newest(self, result: str) -> ClinicalFact | None:
        """The last number of a result, by whichever code."""
        codes = set(several(by_id("results")[result]["codes"]))
        return next((each for each in reversed(self._measured) if codes & codes_of(each)), None)

    @cached_property
    def _measured(self) -> list[ClinicalFact]:
        return [each for each in self.of_kind(pb.FACT_KIND_RESULT) if number(each) is not None]

    def matching(self, kind: int, pattern: str) -> list[ClinicalFact]:
        """Those of a kind that a pattern names."""
        known = re.compile(pattern, re.IGNORECASE)
        return [fact for fact in self.of_kind(kind) if known.search(names(fact))]

    def problem(self, problem: str) -> list[ClinicalFact]:
        """The entries of a problem, oldest first."""
        return self._problems.get(problem, [])

    def drugs(self, pattern: str) -> dict[str, list[ClinicalFact]]:
        """The orders of each drug that a pattern names."""
        known = re.compile(pattern, re.IGNORECASE)
        return {name: orders for name, orders in self.orders.items() if pattern and known.search(name)}

    @cached_property
    def orders(self) -> dict[str, list[ClinicalFact]]:
        """By drug, oldest first. What is ordered and not yet carried out is none."""
        taken = (each for each in self.of_kind(pb.FACT_KIND_MEDICATION) if each.status != pb.FACT_STATUS_ORDERED)
        return _grouped((each, plain(each)) for each in taken)

    @cached_property
    def in_force(self) -> dict[str, list[ClinicalFact]]:
        return {name: orders for name, orders in self.orders.items() if any(map(self.is_open, orders))}

    @cached_property
    def allergies(self) -> list[ClinicalFact]:
        own = (each for each in self.facts if each.kind == pb.FACT_KIND_ALLERGY)
        there = {plain(each): each for each in own if each.assertion != pb.ASSERTION_ABSENT}
        return [each for each in there.values() if each.status != pb.FACT_STATUS_ENDED]

    @cached_property
    def _problems(self) -> dict[str, list[ClinicalFact]]:
        own = (each for each in self.of_kind(pb.FACT_KIND_PROBLEM) if not _ELSEWHERE.search(names(each)))
        return _grouped((each, row["id"]) for each in own if (row := problem_of(each)))

    def is_open(self, fact: ClinicalFact) -> bool:
        """Whether it holds on the last day."""
        end = end_of(fact)
        return fact.status != pb.FACT_STATUS_ENDED and (not end or end > self.today)


def is_stated(fact: ClinicalFact) -> bool:
    return fact.provenance in (pb.PROVENANCE_STRUCTURED, pb.PROVENANCE_UNSPECIFIED)


def problem_of(fact: ClinicalFact) -> Row | None:
    """The first row that names it."""
    return next((row for row in rows("problems") if re.search(row["name"], names(fact), re.IGNORECASE)), None)


def names(fact: ClinicalFact) -> str:
    return f"{fact.code.display} / {fact.source_code.display}"


def plain(fact: ClinicalFact) -> str:
    """The name without the tag of a terminology, in small letters."""
    return _TAG.sub("", fact.code.display or fact.source_code.display).casefold()


def codes_of(fact: ClinicalFact) -> frozenset[str]:
    return frozenset(filter(None, (fact.code.code, fact.source_code.code)))


def day_of(fact: ClinicalFact) -> str:
    """The ISO day (UTC) on which it begins; empty where nobody said."""
    return fact.valid_from.ToDatetime(UTC).date().isoformat() if fact.HasField("valid_from") else ""


def end_of(fact: ClinicalFact) -> str:
    return fact.valid_to.ToDatetime(UTC).date().isoformat() if fact.HasField("valid_to") else ""


def number(fact: ClinicalFact) -> Decimal | None:
    try:
        return Decimal(fact.quantity.value)
    except InvalidOperation:
        return None


def _grouped(named: Iterable[tuple[ClinicalFact, str]]) -> dict[str, list[ClinicalFact]]:
    groups: dict[str, list[ClinicalFact]] = {}
    for fact, name in named:
        groups.setdefault(name, []).append(fact)
    return groups
