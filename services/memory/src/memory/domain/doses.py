"""Doses in passages of evidence, held against the limits at hand.

A limit is one of `grounding.dosing`, or the highest dose of a day that a released label says of the drug. Only what is
written in figures with a unit is read; a dose whose drug is not clear, or of which no limit is known, is not compared.
Guarantee: both numbers of a conflict stand in a document, and its words are shown.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

from grounding.dosing import dosing_of
from grounding.spans import sentences
from longitude.memory.v1.events_pb2 import DoseConflict
from longitude.record.v1.context_pb2 import Passage
from terminology import drugs, units
from terminology.drugs import Ingredient
from terminology.scan import scan

LABEL = "drug_label"
# Sentences whose doses are remembered: more than a library has.
_SENTENCES = 8_192
_HOURS = 24
_NUMBER = r"\d[\d,]*(?:\.\d+)?"
# Neither a concentration nor a dose by weight: `mg/dL`, `mg per kg`.
_DOSE = re.compile(
    rf"(?<![\d.,/])({_NUMBER})(?:\s*(?:-|–|to|or)\s*({_NUMBER}))?\s*"
    r"(mg|mcg|µg|ug|g|milligrams?|micrograms?|grams?|IU|units?)\b(?!\s*(?:/|per (?:kg|kilogram|m2|d?l|litre)\b))",
    re.IGNORECASE,
)
_TIMES = {"once": 1, "twice": 2, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "bid": 2, "tid": 3, "qid": 4}
_OFTEN = re.compile(r"\b(once|twice|bid|tid|qid|(two|three|four|five|six|\d{1,2}) times)\b", re.IGNORECASE)
_EVERY = re.compile(r"\bevery (\d{1,2})(?:\s*(?:-|–|to)\s*\d{1,2})? ?h(?:ours?)?\b", re.IGNORECASE)
# How often a dose is taken stands right behind it, and its drug is named near it: characters that are looked at.
_BEHIND, _NEAR, _STOP = 60, 200, re.compile(r"[.;,]")
_OF = re.compile(r"\s*of((?: [^\s.;,]+){1,2})")
_UNITS = {"milligram": "mg", "microgram": "ug", "mcg": "ug", "µg": "ug", "gram": "g", "iu": "[iU]", "unit": "[iU]"}


@dataclass(frozen=True, slots=True)
class Dose:
    """What a sentence says of a day; `amount` in mg or, of what is dosed so, in international units."""

    drug: tuple[Ingredient, ...]
    amount: Decimal
    unit: str
    words: str


@dataclass(frozen=True, slots=True)
class _Limit:
    allowed: Decimal
    unit: str
    source: str
    condition: str = ""
    words: str = ""


class Limits:
    """The limits at hand: those of the tables, and those that released labels say, each under its edition id."""

    def __init__(self, released: Iterable[Passage]) -> None:
        self._labels = [each for each in released if each.source_kind == LABEL]

    def conflicts(self, passage: Passage, edition_id: str) -> list[DoseConflict]:
        """Doses of a passage above a limit, each with the limit that it exceeds by least."""
        pairs = ((dose, self._exceeded(dose, edition_id)) for dose in doses(passage))
        return [_conflict(edition_id, dose, limit) for dose, limit in pairs if limit is not None]

    def _exceeded(self, dose: Dose, edition_id: str) -> _Limit | None:
        limits = (*_of_tables(dose.drug), *self._of_labels(dose, edition_id))
        exceeded = [each for each in limits if each.unit == dose.unit and each.allowed < dose.amount]
        # One that always applies says more than one for failing kidneys.
        return min(exceeded, key=lambda each: (bool(each.condition), -each.allowed), default=None)

    def _of_labels(self, dose: Dose, edition_id: str) -> Iterator[_Limit]:
        """The highest dose that labels say of the drug."""
        others = (each for each in self._labels if each.release.edition_id != edition_id)
        said = [(one, each) for each in others for one in doses(each) if (one.drug, one.unit) == (dose.drug, dose.unit)]
        if said:
            highest, label = max(said, key=lambda pair: pair[0].amount)
            yield _Limit(highest.amount, highest.unit, f"passage {label.release.edition_id}", words=highest.words)


def count(text: str) -> int:
    """How many doses a text says, of whatever drug."""
    return sum(1 for _ in _DOSE.finditer(text))


def doses(passage: Passage) -> list[Dose]:
    """The doses of a day that a passage says of a drug."""
    text, titled = passage.text, drugs.ingredients_in(passage.title)
    return [one for span in sentences(text, clauses=False) for one in _doses(span.of(text), titled)]


@lru_cache(_SENTENCES)
def _doses(sentence: str, titled: tuple[Ingredient, ...]) -> tuple[Dose, ...]:
    return tuple(_read(sentence, titled if len(titled) == 1 else ()))


def _read(sentence: str, subject: tuple[Ingredient, ...]) -> Iterator[Dose]:
    matches = list(_DOSE.finditer(sentence))
    ends = [*(match.start() for match in matches[1:]), len(sentence)]
    for match, end in zip(matches, ends, strict=False):
        drug = _drug_at(sentence, match, subject)
        amount, unit = _amount(match)
        if drug and amount is not None:
            behind = _STOP.split(sentence[match.end() : min(end, match.end() + _BEHIND)], maxsplit=1)[0]
            yield Dose(drug, amount * _times(behind), unit, sentence)


def _drug_at(sentence: str, dose: re.Match[str], subject: tuple[Ingredient, ...]) -> tuple[Ingredient, ...]:
    """The drug of a dose: what it is `of`, else what was named last before it, else next, else in the title."""
    if of := _OF.match(sentence, dose.end()):
        return next(iter(_drugs_in(of.group(1))), ())
    start, end = dose.span()
    before, after = _drugs_in(sentence[max(0, start - _NEAR) : start]), _drugs_in(sentence[end : end + _NEAR])
    return before[-1] if before else after[0] if after else subject


def _amount(match: re.Match[str]) -> tuple[Decimal | None, str]:
    """The higher number of a range."""
    low, high, spelling = match.groups()
    number = Decimal((high or low).replace(",", ""))
    plain = spelling.lower().removesuffix("s")
    unit = _UNITS.get(plain, plain)
    return (number, unit) if unit == "[iU]" else (units.convert(number, unit, "mg"), "mg")


def _times(behind: str) -> Decimal:
    """How often a day; once where nothing is said."""
    if every := _EVERY.search(behind):
        return Decimal(_HOURS) / Decimal(int(every.group(1)) or _HOURS)
    often = [match.group(2) or match.group(1) for match in _OFTEN.finditer(behind)]
    return Decimal(max((_TIMES.get(word.lower()) or int(word) for word in often), default=1))


def _of_tables(drug: Sequence[Ingredient]) -> Iterator[_Limit]:
    dosing = dosing_of(drug)
    if dosing is None:
        return
    if dosing.highest is not None:
        yield _Limit(dosing.highest.allowed, "mg", dosing.highest.source)
    for limit in dosing.limits:
        if isinstance(limit.allowed, Decimal):
            yield _Limit(limit.allowed, "mg", limit.source, f"{dosing.measure} below {limit.below:g}")


def _conflict(edition_id: str, dose: Dose, limit: _Limit) -> DoseConflict:
    return DoseConflict(
        edition_id=edition_id,
        drug=" / ".join(each.name for each in dose.drug),
        said=f"{dose.amount.normalize():f}",
        allowed=f"{limit.allowed.normalize():f}",
        unit=f"{dose.unit}/d",
        words=dose.words,
        source=limit.source,
        condition=limit.condition,
        source_words=limit.words,
    )


def _drugs_in(text: str) -> list[tuple[Ingredient, ...]]:
    return list(scan(text, drugs.phrases(), _longest()))


@cache
def _longest() -> int:
    return max(map(len, drugs.phrases()))
