"""Who may choose what stands in front of an answer: Longitude, and simple choosers beside it over the same record.

Each of the simple ones takes six facts in force and tells each by its line of the context pack. `rules alone` is what
the alerts say, through the gate.
"""

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from consult import Budget, Identity, Prepared, Record, draft_rules, gate, merge, prepare, speak
from consult.context import phrases
from grounding import Verifier, facts
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from tests.evals.heard import Cited, Told, cited_in

OURS = "longitude"
_TOKENS = 1200
# Statements in front of an answer.
FRONT = 6
_NOT_TOLD = (pb.FACT_KIND_DEMOGRAPHIC, pb.FACT_KIND_ENCOUNTER, pb.FACT_KIND_DOCUMENT)
_WORD = re.compile(r"[a-z0-9]+")
# Usual weights of BM25: how soon a word that comes again counts no more, and how much a long line counts less.
_SATURATION, _LENGTH = 1.2, 0.75


@dataclass(frozen=True)
class Library:
    """The facts of a record that can be told, newest first, each with its line and the words of it."""

    entries: Sequence[ClinicalFact]
    lines: Sequence[str]
    cited: Mapping[str, Cited]

    @classmethod
    def of(cls, record: Record) -> "Library":
        own = [fact for fact in record.sources().current if fact.kind not in _NOT_TOLD]
        newest = sorted(own, key=facts.in_time, reverse=True)
        known = cited_in(each.fact for each in record.timeline.facts)
        return cls(newest, [phrases.line(fact) for fact in newest], known)

    @cached_property
    def words(self) -> list[Counter[str]]:
        return [Counter(_WORD.findall(line.casefold())) for line in self.lines]

    @cached_property
    def rarity(self) -> dict[str, float]:
        """The weight of a word: the rarer, the more."""
        known = Counter(word for each in self.words for word in each)
        return {word: math.log(1 + (len(self.lines) - n + 0.5) / (n + 0.5)) for word, n in known.items()}

    @cached_property
    def length(self) -> float:
        """Words of a line, in the mean."""
        return sum(map(Counter.total, self.words)) / max(1, len(self.words))

    def told(self, places: Sequence[int]) -> list[Told]:
        return [Told(self.lines[place], (self.cited[self.entries[place].fact_id],)) for place in places[:FRONT]]

    def heard(self, statements: Sequence[AssessedStatement]) -> list[Told]:
        ids = [[one.fact_id for one in each.citations if one.fact_id] for each in statements]
        sources = [tuple(self.cited[fact] for fact in own if fact in self.cited) for own in ids]
        return [Told(each.text, own) for each, own in zip(statements, sources, strict=True)]


def consultation(question: str, record: Record) -> Prepared:
    """As the service prepares it."""
    return prepare(question, record, Budget(_TOKENS), Identity.of("eval-answers"))


def in_front(prepared: Prepared, library: Library) -> list[Told]:
    return library.heard([each for each in prepared.checked if each.front and each.released])


def rules_alone(question: str, record: Record, library: Library) -> list[Told]:
    sources = record.sources()
    drafted = merge(draft_rules(speak(sources, question, record.concerning, record.signed_at), sources))
    checked = gate(drafted, Verifier(sources), "eval-answers")
    return library.heard([each for each in checked if each.released][:FRONT])


def by_words(question: str, library: Library) -> list[Told]:
    """Most words in common first, the newest of equals."""
    asked = set(_WORD.findall(question.casefold()))
    return library.told(_best([float(len(asked & each.keys())) for each in library.words]))


def by_bm25(question: str, library: Library) -> list[Told]:
    asked = set(_WORD.findall(question.casefold()))

    def worth(words: Counter[str]) -> float:
        much = _SATURATION * (1 - _LENGTH + _LENGTH * words.total() / library.length)
        shared = (word for word in asked if word in words)
        return sum(library.rarity[word] * words[word] * (_SATURATION + 1) / (words[word] + much) for word in shared)

    return library.told(_best([worth(each) for each in library.words]))


def at_random(question: str, library: Library) -> list[Told]:
    chance = random.Random(f"answers/{question}")
    return library.told(chance.sample(range(len(library.entries)), min(FRONT, len(library.entries))))


def newest(question: str, library: Library) -> list[Told]:
    return library.told(range(FRONT) if len(library.entries) >= FRONT else range(len(library.entries)))


def _best(worth: Sequence[float]) -> list[int]:
    """Places by worth; of equals the first, which is the newest."""
    return sorted(range(len(worth)), key=lambda place: -worth[place])


SIMPLE: dict[str, Callable[[str, Library], list[Told]]] = {
    "words": by_words,
    "BM25": by_bm25,
    "random": at_random,
    "most recent first": newest,
}
RULES = "rules alone"
