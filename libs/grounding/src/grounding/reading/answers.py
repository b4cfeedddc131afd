"""Answers to the questions of a social history: how they are spoken (`lifelong non-smoker`, `works full time`).

Rows of `data/answers.tsv`: the LOINC code of the question, the answer as a record has it, and the words for it.
`{a,b,}` in words stands for each of these, or nothing.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from grounding.reading import tables

PREFIX = "social|"
# In place of an answer, of a question that is answered by a number.
_COUNT = "#"
_COLUMNS = ("question", "answer", "words")
_CHOICE = re.compile(r"\{([^{}]*)\}")


def spoken() -> Iterator[tuple[str, str]]:
    """Words, and the key of the answer that they give. A row may share its words with another."""
    for (question, answer), words in _table().items():
        if answer == _COUNT:
            continue
        yield from ((each, key(question, answer)) for each in words)


def meaning(words: str) -> frozenset[str]:
    """The keys of the answers that words give."""
    return _by_words().get(words.lower(), frozenset())


@cache
def _by_words() -> dict[str, frozenset[str]]:
    found = defaultdict[str, set[str]](set)
    for words, answer in spoken():
        found[words].add(answer)
    return {words: frozenset(own) for words, own in found.items()}


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
def first_words(question: str) -> frozenset[str]:
    """The words with which every answer to a question may begin."""
    return frozenset(each.split()[0] for key_, words in _table().items() if key_[0] == question for each in words)


@cache
def is_of_year(question: str) -> bool:
    """Whether a question asks what was so within the last year (time in jail), as its answers tell."""
    return any(" year" in each for key_, words in _table().items() if key_[0] == question for each in words)


@cache
def _table() -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (row["question"], row["answer"]): tuple(_spelled(row["words"])) for _, row in tables.rows("answers", _COLUMNS)
    }


def _spelled(words: str) -> Iterator[str]:
    for each in words.split("|"):
        yield from (" ".join(spelling.split()) for spelling in _chosen(each))


def _chosen(words: str) -> list[str]:
    choice = _CHOICE.search(words)
    if choice is None:
        return [words]
    before, behind = words[: choice.start()], words[choice.end() :]
    return [each for one in choice[1].split(",") for each in _chosen(before + one + behind)]
