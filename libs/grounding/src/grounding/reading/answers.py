"""Answers to the questions of a social history: how they are spoken (`lifelong non-smoker`, `works full time`).

Rows of `data/answers.tsv`: the LOINC code of the question, the answer as a record has it, and the words for it.
"""

from collections.abc import Iterator
from functools import cache

from grounding.reading import tables

PREFIX = "social|"
# In place of an answer, of a question that is answered by a number.
_COUNT = "#"
_COLUMNS = ("question", "answer", "words")


def spoken() -> Iterator[tuple[str, str]]:
    """Words, and the key of the answer that they give. A row may share its words with another."""
    for (question, answer), words in _table().items():
        if answer == _COUNT:
            continue
        yield from ((each, key(question, answer)) for each in words)


def meaning(words: str) -> frozenset[str]:
    """The keys of the answers that words give."""
    return frozenset(key for each, key in spoken() if each == words.lower())


def counted(words: str) -> str:
    """The question that is answered by a number: how many live in the `household`."""
    return next(question for (question, answer), own in _table().items() if answer == _COUNT and words in own)


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
