"""What of the gold is heard in an answer, what of it concerns the question, and what of it is false.

A value counts as said in a statement that tells it with its day beside its name, or tells it and cites the very fact;
a thing, by its name with one of its days, or by the day where the very fact is cited; an allergy, by its name in a
statement on allergies. A statement concerns the question when it is on its topic, says gold, or cites a fact of a code
that belongs to it. A day stands with what it follows: the dates right after a name or value, or before it where none
follows.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from longitude.record.v1.fact_pb2 import FACT_KIND_ALLERGY, ClinicalFact
from testkit.questions import Falsehood, Gold, Question
from testkit.questions.chart import codes_of, day_of
from testkit.questions.question import FACT

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b",
        rf"\b(?P<day>\d{{1,2}})\.? {_MONTH},? (?P<year>\d{{4}})\b",
        rf"\b{_MONTH} (?P<day>\d{{1,2}}),? (?P<year>\d{{4}})\b",
        r"\b(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})\b",
        r"\b(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})\b",
    )
)
# What may stand between dates that belong together.
_JOINED = re.compile(r"[\s,;()]*(?:and|or|to|until|through|-|–)?[\s(]*", re.IGNORECASE)
T = TypeVar("T")
_ON_ALLERGIES = re.compile(r"allerg|anaphyl|hypersens|intoleran", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cited:
    """A fact that a statement rests on, as far as gold asks for it."""

    codes: frozenset[str]
    day: str
    value: str
    is_allergy: bool

    @classmethod
    def of(cls, fact: ClinicalFact) -> "Cited":
        value = fact.quantity.value or fact.text or fact.coded.display or fact.coded.code
        return cls(codes_of(fact), day_of(fact), f"{value} {fact.quantity.unit}", fact.kind == FACT_KIND_ALLERGY)


@dataclass(frozen=True, slots=True)
class Told:
    """A statement that stands in front of an answer."""

    text: str
    cited: tuple[Cited, ...] = ()

    def has(self, pattern: str) -> bool:
        return bool(re.search(pattern, self.text, re.IGNORECASE))

    def cites(self, gold: Gold) -> bool:
        return any(
            gold.code in each.codes
            and gold.day in ("", each.day)
            and (not gold.value or re.search(gold.value, each.value, re.IGNORECASE))
            for each in self.cited
        )

    def says(self, gold: Gold, *, any_day: bool = False) -> bool:
        """`any_day`: its day need not be told."""
        if gold.what != FACT:
            return all(map(self.has, gold.said))
        if gold.kind == "allergy":
            return self.has(gold.name) and (self.has(_ON_ALLERGIES.pattern) or self._cites_allergy(gold))
        if gold.value:
            return self._says_value(gold, any_day=any_day)
        if any_day or not gold.day_needed or not gold.day:
            return self.has(gold.name)
        return self._says_day(gold)

    def concerns(self, question: Question) -> bool:
        codes = frozenset(code for each in self.cited for code in each.codes)
        return self.has(question.topic) or bool(codes & question.topic_codes) or any(map(self.says, question.gold))

    def tells(self, falsehood: Falsehood) -> bool:
        return self.has(falsehood.pattern) and not (falsehood.unless and self.has(falsehood.unless))

    def _cites_allergy(self, gold: Gold) -> bool:
        return any(each.is_allergy and gold.code in each.codes for each in self.cited)

    def _says_value(self, gold: Gold, *, any_day: bool) -> bool:
        if not self.has(gold.value):
            return False
        on_its_day = any_day or not gold.day or is_dated(self.text, gold.value, gold.day)
        return (self.has(gold.name) and on_its_day) or self.cites(gold)

    def _says_day(self, gold: Gold) -> bool:
        days = (gold.day, *gold.or_days)
        if self.has(gold.name) and any(is_dated(self.text, gold.name, day) for day in days):
            return True
        return self.cites(gold) and any(day in days for _, _, day in dates(self.text))


def dates(text: str) -> list[tuple[int, int, str]]:
    """Start, end and ISO day of every date, in order."""
    return sorted((match.start(), match.end(), _iso(match)) for each in _DATES for match in each.finditer(text))


def is_dated(text: str, pattern: str, day: str) -> bool:
    """Whether what a pattern finds stands with a day."""
    known = dates(text)
    for match in re.finditer(pattern, text, re.IGNORECASE):
        after = [each for each in known if each[0] >= match.end()]
        if day in (_chain(text, after) if after else [last for _, _, last in known[-1:]]):
            return True
    return False


def _chain(text: str, after: Sequence[tuple[int, int, str]]) -> list[str]:
    """The first date, and those that are joined to it."""
    days, end = [after[0][2]], after[0][1]
    for start, stop, day in after[1:]:
        if not _JOINED.fullmatch(text[end:start]):
            break
        days.append(day)
        end = stop
    return days


def _iso(match: re.Match[str]) -> str:
    part = match.groupdict()
    month = part.get("month") or 1 + _MONTHS.index(part["name"].lower())
    return f"{int(part['year']):04d}-{int(month):02d}-{int(part['day']):02d}"


@dataclass(frozen=True, slots=True)
class Row:
    """One answer in numbers."""

    patient: str
    kind: str
    gold: int
    said: int
    safety: int
    safety_said: int
    statements: int
    concerning: int
    characters: int
    false_states: int
    wrong_first: int
    opens_with_gold: int
    seconds: float
    # Gold facts on the lines of the context pack, of so many.
    packed: int = 0
    packable: int = 0


def score(question: Question, statements: Sequence[Told], false: Iterable[Falsehood], seconds: float) -> Row:
    """`false`: what the chart denies whatever is asked. A safety item's day need not be said."""
    against = [*question.must_not, *false]
    safety = [gold for gold in question.gold if gold.safety]
    opening = statements[:1]
    return Row(
        question.patient,
        question.kind,
        len(question.gold),
        _count(question.gold, lambda gold: any(each.says(gold) for each in statements)),
        len(safety),
        _count(safety, lambda gold: any(each.says(gold, any_day=True) for each in statements)),
        len(statements),
        _count(statements, lambda each: each.concerns(question)),
        sum(len(each.text) for each in statements),
        _count(statements, lambda each: any(each.tells(one) for one in against if not one.first)),
        _count(statements, lambda each: any(each.tells(one) for one in against if one.first)),
        int(any(each.says(gold, any_day=gold.safety) for each in opening for gold in question.gold)),
        seconds,
    )


def _count(things: Iterable[T], holds: Callable[[T], bool]) -> int:
    return sum(map(holds, things))


def cited_in(facts: Iterable[ClinicalFact]) -> Mapping[str, Cited]:
    return {fact.fact_id: Cited.of(fact) for fact in facts}
