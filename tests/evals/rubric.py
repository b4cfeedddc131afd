"""What an expert would expect of an answer about a story; each item is met by one released sentence.

Authored for these stories: where kidney function stands and where it comes from, what is dangerous, what was corrected,
what is open about allergies, what changed, and the truth about what the question takes for granted.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testkit.stories import Drug, Story
from testkit.stories.formulas import egfr

_KIDNEY_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Item:
    """Met by a sentence that holds every one of `words` (regular expressions, without regard to case)."""

    name: str
    words: tuple[str, ...]

    def met(self, sentences: Sequence[str]) -> bool:
        return any(all(re.search(word, text, re.IGNORECASE) for word in self.words) for text in sentences)


def rubric(story: Story) -> list[Item]:
    """The items of a story."""
    return [*_kidney(story), *_dangers(story), *_corrections(story), *_asked(story), *_changes(story)]


def _kidney(story: Story) -> Iterator[Item]:
    course = story.truth.course("creatinine")
    first, last = course[0], course[-1]
    rate = round(egfr(float(last.value), story.truth.born, story.truth.sex, last.day))
    yield Item("newest creatinine", ("creatinine", _any_of(last.values), str(last.day)))
    yield Item("course of creatinine", ("creatinine", str(first.day), str(last.day)))
    yield Item("newest eGFR", ("eGFR", rf"\b(?:{rate - 1}|{rate}|{rate + 1})\b"))


def _dangers(story: Story) -> Iterator[Item]:
    taken = [each for each in story.truth.drugs if not each.until]
    last = story.truth.course("creatinine")[-1]
    rate = egfr(float(last.value), story.truth.born, story.truth.sex, last.day)
    blockers = [each for each in taken if each.drug_class == "ACE inhibitor"]
    for drug in (each for each in taken if each.drug_class == "NSAID"):
        if round(rate) < _KIDNEY_LIMIT or blockers:
            yield Item("NSAID and the kidney", (drug.name, "eGFR|kidney|lisinopril|ramipril"))
    if len(names := {each.name for each in blockers}) > 1:
        yield Item("two ACE inhibitors", tuple(names))
    if rate < 44 and any(each.name == "metformin" for each in taken):
        yield Item("metformin and the kidney", ("metformin", "eGFR"))


def _corrections(story: Story) -> Iterator[Item]:
    for each in story.truth.results:
        if each.replaced:
            yield Item("corrected result", ("correct", each.name, rf"\b{re.escape(str(each.value))}\b", str(each.day)))


def _asked(story: Story) -> Iterator[Item]:
    """The truth about a premise; every drug and problem where they are asked for."""
    premise = re.search(r"Why was (\w+) stopped|Since (\w+) was started", story.question)
    if premise:
        name = premise[1] or premise[2]
        truth = "active|ordered" if premise[1] else r"\bno\b|not"
        yield Item("false premise", (name, truth))
    if "medications are active" in story.question or "medications still fit" in story.question:
        yield from (
            Item(f"drug {each.name}", (each.name, *_state(each))) for each in story.truth.drugs if not each.until
        )
    if "Which problems" in story.question:
        yield from (Item("problem", (re.escape(each.name),)) for each in story.truth.problems if not each.until)


def _changes(story: Story) -> Iterator[Item]:
    for each in story.truth.drugs:
        if each.ordered:
            yield Item("new order", (each.name, "order"))


def _state(drug: Drug) -> tuple[str, ...]:
    return ("order",) if drug.ordered else ("order|active|mg",)


def _any_of(values: Sequence[tuple[object, str]]) -> str:
    return "|".join(rf"\b{re.escape(str(value))}\b" for value, _ in values)
