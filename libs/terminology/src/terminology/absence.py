"""Ways to say none, unknown, ruled out, suspected, past, or of another person.

A whole text (NKDA, "not on any medication") or a code says it of a kind of facts; a cue beside a name (denies, rule
out, family history of) says it of that name, within its own clause. Guarantee: `rule out` is a suspicion and no denial;
what only looks like a denial ("no increase in") is none.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import coding_systems, tables

COLUMNS = ("words", "form", "meaning", "about", "source")
CODE_COLUMNS = ("system", "code", "display", "meaning", "about", "as", "source")
ANY = "any"
_WORD = re.compile(r"[^\W_]+")
_LONGEST = 5  # words of a cue
# What ends a clause: a cue does not reach over it.
_CLAUSE = re.compile(
    r"[.;:\n]|\b(?:but|however|except|although|though|presents? with|complains? of)\b"
    r"|(?:,|\band) (?:has|had|with|reports?)\b",
    re.IGNORECASE,
)


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
    row = _cues("whole").get(_plain(text))
    if row is None:
        return None
    meaning, about = row
    return Absence(meaning, about, concept_of(meaning, about))


def opening(text: str) -> tuple[Meaning, str] | None:
    """The cue that a text begins with, the longest one, and what it is said of; None when it begins with none."""
    words = list(_WORD.finditer(text))
    for count in range(min(len(words) - 1, _LONGEST), 0, -1):
        span = " ".join(word[0].upper() for word in words[:count])
        if span in _pseudo():
            return None
        if span in _cues("before"):
            return _cues("before")[span][0], text[words[count].start() :]
    return None


def beside(text: str, start: int, end: int) -> Meaning | None:
    """What the clause of a name at `start` to `end` says of it beyond its presence; the nearest cue decides.

    A past that is denied (denies history of) is denied.
    """
    before, after = _CLAUSE.split(text[:start])[-1], _CLAUSE.split(text[end:])[0].split(",")[0]
    return _first(_plain(after).split()) or _last(_plain(before).split())


def _first(words: list[str]) -> Meaning | None:
    """A cue that follows a name at once."""
    cues = _cues("after")
    spans = (" ".join(words[:count]) for count in range(min(len(words), _LONGEST), 0, -1))
    return next((cues[span][0] for span in spans if span in cues), None)


def _last(words: list[str]) -> Meaning | None:
    """The cue that stands nearest before a name, the longest where several begin together."""
    cues, pseudo = _cues("before"), _pseudo()
    for end in range(len(words), 0, -1):
        for begin in range(max(0, end - _LONGEST), end):
            span = " ".join(words[begin:end])
            if span in pseudo:
                return None
            if span in cues:
                meaning = cues[span][0]
                return (_last(words[:begin]) or meaning) if meaning is Meaning.PAST else meaning
    return None


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.upper()))


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
