"""Which names of a sentence are reported as allergies, and by which words: the grammar around terminology's names.

Guarantee: of a list and of a combination every name is reported, also behind one that is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from terminology import absence, reactions
from terminology.allergens import Mention

REACTION = rf"(?:{'|'.join(map(re.escape, reactions.WORDS))})(?: of the \w+)?"
_CAUSE = re.compile(
    rf"\b(?:(?P<reaction>{REACTION})|(?:allergic|adverse|drug|hypersensitivity)\s+reactions?|allerg(?:y|ies|ic)|reacted|"
    r"hypersensitiv(?:e|ity)|intoleran(?:t|ce))\s+(?:to|after|with|from|following)\s+(?:the\s+|any\s+)?",
    re.IGNORECASE,
)
_ALLERGY_AFTER = re.compile(
    r"\s*[- ](?:allergy|(?P<several>allergies)|allergic|anaphylaxis|hypersensitivity)\b", re.IGNORECASE
)
_SECTION = re.compile(
    r"\b(?:known\s+|drug\s+)?(?:allergies|allergy|allergens?)\s*(?:list)?\s*:\s*(?=(?P<list>[^:]*))", re.IGNORECASE
)
_JOINER = re.compile(
    r"\s*(?:\([^)]*\))?\s*(?:,\s*(?:and\s+|or\s+)?|[-/+&]|\s+and\s+|\s+or\s+|\s+nor\s+)\s*", re.IGNORECASE
)
_EXCEPT = re.compile(r",?\s+(?:except|apart\s+from|other\s+than)\s+(?:for\s+|to\s+)?", re.IGNORECASE)
_OF_ONE_PRODUCT = re.compile(r"\s*[-/+&]\s*")
# How an item of a list begins, and how many characters before its name are looked at.
_BEFORE_ITEM = 12
_ITEM = re.compile(r"(?:[,:/+&-]|\b(?:and|or|nor))\s*$", re.IGNORECASE)
# Names that one word may call allergies, at most.
_MOST_TOGETHER = 20
_BEFORE_NAME = 24
# `Under amoxicillin she developed hives`: before the name, and after it.
_UNDER = re.compile(r"\b(?:after|under|on|following)\s+(?:the\s+)?$", re.IGNORECASE)
_DEVELOPED = re.compile(
    rf"\b[^,;]{{0,40}}?\b(?:developed|had|suffered|experienced)\s+(?:an?\s+|generalised\s+)?(?:{REACTION})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reported:
    """A name and the words that make it an allergy, from `start` to `end`: `allergic to` [lead] `penicillin`."""

    name: Mention
    start: int
    end: int
    lead_end: int
    reaction_leads: bool


def reported(sentence: str, names: Sequence[Mention]) -> Iterator[Reported]:
    """Of `allergic to A, B and C`, `rash after A`, `Allergies: A, B`, `NKDA except A`, `A allergy`; each name once."""
    seen: set[int] = set()
    ways = (_caused, _excepted, _in_sections, _alone)
    for report in (report for way in ways for report in way(sentence, names)):
        if report.name.start not in seen:
            seen.add(report.name.start)
            yield report


def _caused(sentence: str, names: Sequence[Mention]) -> Iterator[Reported]:
    by_start = _by_start(names)
    for lead in _CAUSE.finditer(sentence):
        for name in _joined(sentence, by_start, lead.end()):
            yield Reported(name, lead.start(), name.end, lead.end(), bool(lead["reaction"]))


def _excepted(sentence: str, names: Sequence[Mention]) -> Iterator[Reported]:
    after = (_EXCEPT.match(sentence, stated.end) for stated in absence.stated(sentence))
    by_start = _by_start(names)
    for lead in filter(None, after):
        for name in _joined(sentence, by_start, lead.end()):
            yield Reported(name, lead.end(), name.end, lead.end(), reaction_leads=False)


def _by_start(names: Sequence[Mention]) -> dict[int, Mention]:
    return {name.start: name for name in names}


def _joined(sentence: str, by_start: Mapping[int, Mention], position: int) -> Iterator[Mention]:
    """The names that follow one another from `position` on, with nothing but joining words between."""
    while name := by_start.get(position):
        yield name
        joiner = _JOINER.match(sentence, name.end)
        if joiner is None:
            return
        position = joiner.end()


def _in_sections(sentence: str, names: Sequence[Mention]) -> Iterator[Reported]:
    """The names with which an item begins, to where it says `none`; a list may have items that nobody here knows."""
    nothing = list(absence.stated(sentence))
    for section in _SECTION.finditer(sentence):
        begin, end = section.span("list")
        end = min([end, *(stated.start for stated in nothing if stated.end > begin)])
        for name in names:
            near = max(section.start(), name.start - _BEFORE_ITEM)
            if begin <= name.start < end and _ITEM.search(sentence, near, name.start):
                yield Reported(name, section.start(), name.end, begin, reaction_leads=False)


def _alone(sentence: str, names: Sequence[Mention]) -> Iterator[Reported]:
    by_start = _by_start(names)
    for name in names:
        under = _UNDER.search(sentence, max(0, name.start - _BEFORE_NAME), name.start)
        developed = _DEVELOPED.match(sentence, name.end)
        if under and developed:
            yield Reported(name, under.start(), developed.end(), developed.end(), reaction_leads=True)
        elif end := _called_allergy(sentence, by_start, name):
            yield Reported(name, name.start, end, name.start, reaction_leads=False)


def _called_allergy(sentence: str, by_start: Mapping[int, Mention], name: Mention) -> int | None:
    """The end of the word that calls a name an allergy: `A allergy`, `A/B allergy`, `A, B and C allergies`."""
    after = _ALLERGY_AFTER.match(sentence, name.end)
    if after is not None:
        return after.end()
    following = list(islice(_joined(sentence, by_start, name.start), _MOST_TOGETHER))
    after = _ALLERGY_AFTER.match(sentence, following[-1].end)
    between = [sentence[one.end : other.start] for one, other in pairwise(following)]
    tied = after is not None and (bool(after["several"]) or all(map(_OF_ONE_PRODUCT.fullmatch, between)))
    return after.end() if after is not None and tied else None
