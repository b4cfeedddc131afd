"""The evidence library's decisions: what a passage must say, and which passages serve a question.

The score of a passage, 0 to 1, is a weighted mean of
- meaning: the cosine of query and passage (0 when the index has not the passage yet),
- words: the share of the query's words that stand in the passage; when concepts are asked for, the mean of that and of
  how far the passage is about them (each weighs what the question says; a sum of CONCEPTS_ENOUGH is all),
- PICO: for each element given, the share of its words in that element of the passage; left out when none is given.
Scores within 0.01 of each other count as equal; then the stronger source wins, then the passage id.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from longitude.record.v1.context_pb2 import Passage

MEANING, WORDS, PICO = 0.45, 0.25, 0.30
CONCEPTS_ENOUGH = 3
ELEMENTS = ("population", "intervention", "comparison", "outcome")

# From the strongest kind of source to the weakest: the order of `source_kind`.
SOURCE_KINDS = ("guideline", "systematic_review", "drug_label", "trial", "cohort", "expert")
_REQUIRED = ("title", "text", "source", "licence")
_LONGEST = 4_000
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,79}")
_PUBLISHED = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_WORD = re.compile(r"[a-z0-9]+")
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be by can do does for from has have he her his how if in into is it its may not of on or "
        "our she should that the their this to was what when which who why will with"
    )
)
_GRADE = re.compile(r"\b([12])?([A-D])\b")


class PassageError(ValueError):
    """A passage cannot be loaded; the text names the passage and the field."""


@dataclass(frozen=True, slots=True)
class Question:
    """A search: free text, PICO elements (may be empty) and concepts as `system|code`, each with its weight."""

    text: str
    pico: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)

    @property
    def wording(self) -> str:
        """Everything asked, as one text for the embedder and the word index."""
        return " ".join(part for part in (self.text, *(self.pico.get(e, "") for e in ELEMENTS)) if part)


@dataclass(frozen=True, slots=True)
class Ranked:
    passage: Passage
    score: float


def check(passage: Passage) -> None:
    """PassageError unless the passage is complete and its size is sane."""
    if not _ID.fullmatch(passage.passage_id):
        raise PassageError("a passage: passage_id must be 2 to 80 of a-z, 0-9, '.', '_' and '-'")
    for problem in _problems(passage):
        raise PassageError(f"{passage.passage_id}: {problem}")


def _problems(passage: Passage) -> Iterator[str]:
    for name in _REQUIRED:
        if not getattr(passage, name).strip():
            yield f"{name} is empty"
    if len(passage.text) > _LONGEST:
        yield f"text is longer than {_LONGEST} characters"
    if passage.source_kind not in SOURCE_KINDS:
        yield f"source_kind must be one of {', '.join(SOURCE_KINDS)}"
    if not _PUBLISHED.fullmatch(passage.published):
        yield "published must be YYYY, YYYY-MM or YYYY-MM-DD"
    if not all(code.system and code.code for code in passage.codes):
        yield "codes need a system and a code"


def text_of(passage: Passage) -> str:
    """What the embedder reads of a passage."""
    return f"{passage.title}. {passage.text}"


def codes_of(passage: Passage) -> frozenset[str]:
    """`system|code` of the passage's concepts."""
    return frozenset(f"{code.system}|{code.code}" for code in passage.codes)


def words(text: str) -> frozenset[str]:
    """The words of a text that carry meaning, without regard to case and plural s."""
    found = _WORD.findall(text.casefold())
    return frozenset(
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
        for word in found
        if word not in _STOP_WORDS
    )


def rank(question: Question, found: Iterable[tuple[Passage, float]], limit: int) -> list[Ranked]:
    """The best passages; `found` gives each candidate with its cosine to the question."""
    ranked = [Ranked(passage, _score(question, passage, cosine)) for passage, cosine in found]
    ranked.sort(key=lambda r: (-round(r.score, 2), *_strength(r.passage), r.passage.passage_id))
    return ranked[:limit]


def _score(question: Question, passage: Passage, cosine: float) -> float:
    asked = [element for element in ELEMENTS if question.pico.get(element, "").strip()]
    parts = [(MEANING, max(0.0, min(1.0, cosine))), (WORDS, _wording(question, passage))]
    if asked:
        shares = [_share(question.pico[element], getattr(passage, element)) for element in asked]
        parts.append((PICO, sum(shares) / len(shares)))
    return sum(weight * value for weight, value in parts) / sum(weight for weight, _ in parts)


def _wording(question: Question, passage: Passage) -> float:
    names = " ".join(f"{code.display} {code.code}" for code in passage.codes)
    share = _share(question.text, f"{passage.title} {passage.text} {names}")
    if not question.codes:
        return share
    about = sum(question.codes.get(code, 0) for code in codes_of(passage))
    return (share + min(about, CONCEPTS_ENOUGH) / CONCEPTS_ENOUGH) / 2


def _share(asked: str, text: str) -> float:
    wanted = words(asked)
    return len(wanted & words(text)) / len(wanted) if wanted else 0.0


def _strength(passage: Passage) -> tuple[int, int]:
    """Smaller is stronger: the kind of source, then the grade (1A before 1B before 2A; A before B; none last)."""
    kinds = {kind: n for n, kind in enumerate(SOURCE_KINDS)}
    grade = _GRADE.search(passage.grade)
    level = 9 if grade is None else (int(grade[1] or 1) - 1) * 4 + "ABCD".index(grade[2])
    return kinds.get(passage.source_kind, len(kinds)), level
