"""Ways to say none, unknown, ruled out, suspected, past, or of another person.

A whole text (NKDA, "not on any medication") or a code says it of a kind of facts; a cue beside a name (denies, rule
out, family history of) says it of that name, within its own clause. Guarantee: `rule out` is a suspicion and no denial;
what only looks like a denial ("no increase in") is none.

`stated` finds the whole texts that stand within a longer one, `of_another` the words for somebody else.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import coding_systems, phrases, tables

COLUMNS = ("words", "form", "meaning", "about", "source")
CODE_COLUMNS = ("system", "code", "display", "meaning", "about", "as", "source")
ANY = "any"
_LONGEST = 5  # words of a cue
_REACH = 300  # characters between a name and a cue at most
# Words for somebody else that name no relative, and those that patients are called by themselves.
_HISTORY = frozenset({"FAMILY HISTORY"})
_NOT_RELATIVES = frozenset({"CHILD", "CHILDREN"})
# What ends a clause: a cue does not reach over it.
_CLAUSE = re.compile(
    r"[.;:\n]|\b(?:but|however|except|apart from|other than|although|though|while|whereas)\b"
    r"|\b(?:presents? with|complains? of)\b|(?:,|\band) (?:has|had|with|reports?)\b",
    re.IGNORECASE,
)
_STOP = re.compile(rf",|{_CLAUSE.pattern}", re.IGNORECASE)


class Meaning(StrEnum):
    """What is said instead of "present"."""

    NONE = "none"
    UNKNOWN = "unknown"
    RULED_OUT = "ruled-out"
    SUSPECTED = "suspected"
    PAST = "past"
    OTHER_PERSON = "other-person"


@dataclass(frozen=True, slots=True)
class Absence:
    """That nothing of a kind is there or known. `concept` is the code for it, where there is one."""

    meaning: Meaning
    about: str
    concept: CodedConcept | None = None


@dataclass(frozen=True, slots=True)
class Cue:
    """Words beside a name and what they say of it, at characters `start` to `end` of the text."""

    meaning: Meaning
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stated:
    """An absence that a text states, and the characters that do."""

    absence: Absence
    start: int
    end: int


def of(concept: CodedConcept) -> Absence | None:
    """The absence that a concept states by its code, or, without a code of a known system, by its words.

    A code of no system that may mean anything (NONE, UNK) counts only where no words stand beside it.
    """
    if known := _by_code().get((concept.system, concept.code)):
        return known
    if concept.code and coding_systems.known(concept.system):
        return None
    by_code = whole(concept.code) if not concept.system else None
    if by_code and by_code.about == ANY and concept.display:
        by_code = None
    return whole(concept.display) or by_code


def concept_of(meaning: Meaning, about: str) -> CodedConcept | None:
    """The code that says this of this kind of facts; None where there is none."""
    return _codes().get((meaning, about))


def whole(text: str) -> Absence | None:
    """The absence that a text states and nothing else."""
    return _absence(_plain(text))


def stated(text: str) -> Iterator[Stated]:
    """The absences that a text states among other things; a word that needs its place (`none`) is none of them."""
    plain = {words: meaning for words, meaning in _cues("whole").items() if meaning[1] != ANY}
    for start, end, words in phrases.find(text, plain):
        known = _absence(words)
        if known is not None:
            yield Stated(known, start, end)


def of_another(text: str) -> bool:
    """Whether a text speaks of somebody else than the patient: a relative, the family's history."""
    return any(True for _ in phrases.find(text, _cues("person")))


def person_in(text: str) -> str:
    """The relative that a text names first, in small letters; empty where it names none."""
    found = (words for _, _, words in phrases.find(text, _cues("person")) if words not in _HISTORY)
    return next(found, "").lower()


def is_relative(text: str) -> bool:
    """Whether a text is the word for a relative and nothing else."""
    return _plain(text) in _cues("person").keys() - _NOT_RELATIVES


def others(text: str) -> tuple[tuple[int, int], ...]:
    """Where a text names somebody else: characters [start, end) of each."""
    return tuple((start, end) for start, end, _ in phrases.find(text, _cues("person")))


def opening(text: str) -> tuple[Meaning, str] | None:
    """The cue that a text begins with, the longest one, and what it is said of; None when it begins with none."""
    words = list(phrases.WORD.finditer(text))
    for count in range(min(len(words) - 1, _LONGEST), 0, -1):
        span = phrases.joined(words[:count])
        if span in _pseudo():
            return None
        if span in _cues("before"):
            return _cues("before")[span][0], text[words[count].start() :]
    return None


def beside(text: str, start: int, end: int) -> Meaning | None:
    """What the clause of a name at `start` to `end` says of it beyond its presence; the nearest cue decides.

    A past that is denied (denies history of) is denied.
    """
    near = cues(text, start, end)
    if near and near[0].meaning is Meaning.PAST and near[0].end <= start:
        return next((cue.meaning for cue in near if cue.meaning is not Meaning.PAST), Meaning.PAST)
    return near[0].meaning if near else None


def cues(text: str, start: int, end: int) -> tuple[Cue, ...]:
    """All cues in the clause of a name: the one that follows at once, then those before, the nearest first."""
    near = max(0, text.find(" ", start - _REACH, start)) if start > _REACH else 0
    far = end + _REACH
    begin = max((match.end() for match in _CLAUSE.finditer(text, near, start)), default=near)
    stop = _STOP.search(text, end, far)
    after = phrases.WORD.finditer(text, end, stop.start() if stop else far)
    return (*_at_once(list(after)), *_nearest(list(phrases.WORD.finditer(text, begin, start))))


def _at_once(words: Sequence[re.Match[str]]) -> Iterator[Cue]:
    known = _cues("after")
    for count in range(min(len(words), _LONGEST), 0, -1):
        if meaning := known.get(phrases.joined(words[:count])):
            yield Cue(meaning[0], words[0].start(), words[count - 1].end())
            return


def _nearest(words: Sequence[re.Match[str]]) -> Iterator[Cue]:
    """From the last word to the first, of several that end together the longest; what is no denial ends the search."""
    known, end = _cues("before"), len(words)
    while end:
        spans = ((begin, phrases.joined(words[begin:end])) for begin in range(max(0, end - _LONGEST), end))
        begin, span = next(((at, span) for at, span in spans if span in known or span in _pseudo()), (end - 1, ""))
        if span in _pseudo():
            return
        if span:
            yield Cue(known[span][0], words[begin].start(), words[end - 1].end())
        end = begin


def _absence(words: str) -> Absence | None:
    row = _cues("whole").get(words)
    if row is None:
        return None
    meaning, about = row
    return Absence(meaning, about, _codes().get((meaning, about)))


def _plain(text: str) -> str:
    return " ".join(phrases.WORD.findall(text.upper()))


@cache
def _cues(form: str) -> dict[str, tuple[Meaning, str]]:
    rows = tables.index(tables.read("absence", COLUMNS), "words", "form").values()
    return {row["words"]: (Meaning(row["meaning"]), row["about"]) for row in rows if row["form"] == form}


@cache
def _pseudo() -> frozenset[str]:
    return frozenset(row["words"] for row in tables.read("absence", COLUMNS) if row["form"] == "pseudo")


@cache
def _by_code() -> dict[tuple[str, str], Absence]:
    rows = tables.index(tables.read("absence_codes", CODE_COLUMNS), "system", "code").values()
    names = {(coding_systems.uri(row["system"]), row["code"]): row["display"] for row in rows}

    def absence(row: tables.Row) -> Absence:
        system = coding_systems.uri(row["system"])
        concept = CodedConcept(system=system, code=row["as"], display=names[system, row["as"]])
        return Absence(Meaning(row["meaning"]), row["about"], concept)

    return {(coding_systems.uri(row["system"]), row["code"]): absence(row) for row in rows}


@cache
def _codes() -> dict[tuple[Meaning, str], CodedConcept]:
    """The first code of each meaning: what a text in words is told as."""
    codes: dict[tuple[Meaning, str], CodedConcept] = {}
    for known in _by_code().values():
        if known.concept:
            codes.setdefault((known.meaning, known.about), known.concept)
    return codes
