"""Answers to the questions of a social history: how they are spoken (`lifelong non-smoker`, `works full time`).

Rows of `data/answers.tsv`: the LOINC code of the question, the answer as a record has it, and the words for it.
"""

from collections.abc import Iterator
from functools import cache

from grounding.reading import tables

PREFIX = "social|"
_COLUMNS = ("question", "answer", "words")


def spoken() -> Iterator[tuple[str, str]]:
    """Words, and the key of the answer that they give. A row may share its words with another."""
    for (question, answer), words in _table().items():
        yield from ((each, key(question, answer)) for each in words)


def meaning(words: str) -> frozenset[str]:
    """The keys of the answers that words give."""
    return frozenset(key for each, key in spoken() if each == words.lower())


def key(question: str, answer: str) -> str:
    return f"{PREFIX}{question}|{answer.casefold()}"


def of_key(answer: str) -> tuple[str, str]:
    """Question and answer of a key."""
    _, question, text = answer.split("|", 2)
    return question, text


@cache
def _table() -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (row["question"], row["answer"]): tuple(row["words"].split("|")) for _, row in tables.rows("answers", _COLUMNS)
    }
