"""Which passages of the evidence library serve a question, and in which order.

The score of a passage, 0 to 1, is a weighted mean of
- meaning: the cosine of query and passage (0 when the index has not the passage yet),
- words: the share of the query's words that stand in the passage; when concepts are asked for, the mean of that and of
  how far the passage is about them (each weighs what the question says; a sum of CONCEPTS_ENOUGH is all),
- PICO: for each element given, the share of its words in that element of the passage; left out when none is given.
Scores within 0.01 of each other count as equal; then the stronger source wins, then the passage id.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from longitude.record.v1.context_pb2 import Passage

MEANING, WORDS, PICO = 0.45, 0.25, 0.30
CONCEPTS_ENOUGH = 3
ELEMENTS = ("population", "intervention", "comparison", "outcome")

# From the strongest kind of source to the weakest: the order of `source_kind`.
SOURCE_KINDS = ("guideline", "systematic_review", "drug_label", "trial", "cohort", "expert")
# Most candidates that are compared for a question.
CANDIDATES = 100
_WORD = re.compile(r"[a-z0-9]+")
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be by can do does for from has have he her his how if in into is it its may not of on or "
        "our she should that the their this to was what when which who why will with"
    )
)
_GRADE = re.compile(r"\b([12])?([A-D])\b")


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


def rank(question: Question, candidates: Iterable[tuple[Passage, float]], limit: int) -> list[Ranked]:
    """The best passages; `candidates` are passages with their cosine to the question."""
    ranked = [Ranked(passage, _score(question, passage, cosine)) for passage, cosine in candidates]
    ranked.sort(key=lambda r: (-round(r.score, 2), *_strength(r.passage), r.passage.passage_id))
    return ranked[:limit]


def by_word(question: Question, library: Iterable[Passage], limit: int = CANDIDATES) -> list[Passage]:
    """The best passages of a library by word and concept alone, as memory finds them without an embedder."""
    return [ranked.passage for ranked in rank(question, ((each, 0.0) for each in library), limit)]


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
