"""Draws invented charts of many years: the same seed gives the same chart. Values, days and persons are made up."""

import random
from datetime import date, timedelta
from typing import TypeVar

from longitude.record.v1.fact_pb2 import PatientKey

from practice.charts.plan import (
    ALLERGIES,
    CHECKS,
    CHECKS_OF_WOMEN,
    DISEASES,
    EVERYONE,
    PASSING,
    PASSING_DRUGS,
    ROUTINE,
    SOCIAL,
    VACCINES,
    Disease,
    Measured,
    Taken,
)
from practice.records import RecordBuilder

T = TypeVar("T")
AUTHORITY = "CHARTS"
_LAST = date(2026, 9, 1)
_YEARS = (6, 18)
_DISEASES, _ALLERGIES, _PASSING, _CHECKS = (2, 5), (0, 3), (1, 3), (0, 2)
# Days between visits.
_BETWEEN = (120, 260)
_YEAR = 365


def chart(seed: int) -> RecordBuilder:
    """A patient with some diseases, seen for years."""
    return _Author(seed).write()


class _Author:
    """One patient's life, entry by entry."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(f"chart/{seed}")  # noqa: S311 - charts are drawn, not secret
        self.record = RecordBuilder(PatientKey(id=f"C{seed}", authority=AUTHORITY))
        self.woman = self.chance.random() < 0.5
        self.first = _LAST - timedelta(days=_YEAR * self.chance.randint(*_YEARS))
        self.visits = self._visits()

    def write(self) -> RecordBuilder:
        born = self.first - timedelta(days=_YEAR * self.chance.randint(35, 60) + self.chance.randrange(_YEAR))
        self.record.born(born.isoformat(), "F" if self.woman else "M")
        diseases = self.chance.sample(DISEASES, self.chance.randint(*_DISEASES))
        self._measure_everyone({each.code for disease in diseases for each in disease.results})
        for disease in diseases:
            self._disease(disease)
        self._beside()
        return self.record

    def _visits(self) -> list[date]:
        days = [self.first]
        while (following := days[-1] + timedelta(days=self.chance.randint(*_BETWEEN))) <= _LAST:
            days.append(following)
        for day in days:
            self.record.encounter("ambulatory", day.isoformat(), day.isoformat())
        return days

    def _measure_everyone(self, elsewhere: set[str]) -> None:
        for each in EVERYONE:
            if each.code not in elsewhere:
                self._measure(each, self.visits, None)

    def _disease(self, disease: Disease) -> None:
        """Recorded at a visit of the first third; treated from a later one."""
        start = self.chance.randrange(max(1, len(self.visits) // 3))
        treated = start + 1 + self.chance.randrange(2)
        self.record.problem(disease.code, disease.name, self.visits[start].isoformat())
        for each in disease.results:
            self._measure(each, self.visits[start:], self.visits[treated])
        self._treat(disease.drugs, treated)
        for code, name, times in disease.procedures:
            for day in sorted(self.chance.sample(self.visits[treated:], times)):
                self.record.procedure(code, name, day.isoformat())

    def _measure(self, result: Measured, days: list[date], treated: date | None) -> None:
        """On two visits of three, on a line with noise; once treated, about where treatment brings it."""
        for place, day in enumerate(days):
            if place in (0, len(days) - 1) or self.chance.random() < 0.67:
                along = result.start + (result.end - result.start) * place / max(1, len(days) - 1)
                is_treated = treated is not None and result.treated is not None and day > treated
                value = (result.treated or 0.0) if is_treated else along
                told = f"{value + self.chance.gauss(0, result.noise):.{result.decimals}f}"
                self.record.result(result.code, result.name, told, result.unit, day.isoformat())

    def _treat(self, drugs: tuple[Taken, ...], start: int) -> None:
        """One after the other: what is stopped makes room for the next, what is not is joined by it or not."""
        for each in drugs:
            if start >= len(self.visits):
                return
            begin, start = start, min(start + 2 + self.chance.randrange(3), len(self.visits) - 1)
            ends = each.stopped and self.chance.random() < 0.5
            self._order(each, self.visits[begin], self.visits[start] if ends else None)
            if not ends and self.chance.random() < 0.5:
                return

    def _order(self, drug: Taken, day: date, end: date | None) -> None:
        until = end.isoformat() if end else ""
        self.record.medication(
            drug.code, drug.name, day.isoformat(), dose=drug.dose, frequency=drug.frequency, end=until
        )

    def _beside(self) -> None:
        """Allergies, what passes, vaccines, checks, routine and what is of no weight."""
        for code, name, reaction in self._some(ALLERGIES, _ALLERGIES):
            self.record.allergy(code, name, self.first.isoformat(), reaction=reaction)
        for code, name in self._some(PASSING, _PASSING):
            day = self.chance.choice(self.visits)
            over = day + timedelta(days=self.chance.randint(7, 40))
            self.record.problem(code, name, day.isoformat(), end=over.isoformat())
            self._order(self.chance.choice(PASSING_DRUGS), day, over)
        for code, name in self._some(CHECKS + (CHECKS_OF_WOMEN if self.woman else ()), _CHECKS):
            self.record.procedure(code, name, self.chance.choice(self.visits).isoformat())
        self._vaccinate()
        self._routine()

    def _vaccinate(self) -> None:
        for code, name, years in self._some(VACCINES, (1, 4)):
            for day in self.visits[self.chance.randrange(3) :: max(1, 2 * years)]:
                self.record.immunization(code, name, day.isoformat())

    def _routine(self) -> None:
        for day in self.visits:
            for code, name in self._some(ROUTINE, (0, 2)):
                self.record.procedure(code, name, day.isoformat())
        for code, name in self._some(SOCIAL, (1, 2)):
            self.record.problem(code, name, self.chance.choice(self.visits).isoformat())

    def _some(self, things: tuple[T, ...], bounds: tuple[int, int]) -> list[T]:
        return self.chance.sample(things, self.chance.randint(*bounds))
