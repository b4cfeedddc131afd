"""What a passage must say before the evidence library takes it in, and what the embedder reads of it."""

import re
from collections.abc import Iterator

from consult.context.ranking import SOURCE_KINDS
from longitude.record.v1.context_pb2 import Passage

from memory.domain import doses

_REQUIRED = ("title", "text", "source", "licence")
_LONGEST = 4_000
_MOST_DOSES = 50
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,79}")
_PUBLISHED = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


class PassageError(ValueError):
    """A passage cannot be loaded; the text names the passage and the field."""


def check(passage: Passage) -> None:
    """PassageError unless the passage is complete and its size is sane."""
    if not _ID.fullmatch(passage.passage_id):
        raise PassageError("a passage: passage_id must be 2 to 80 of a-z, 0-9, '.', '_' and '-'")
    for problem in _problems(passage):
        raise PassageError(f"{passage.passage_id}: {problem}")


def text_of(passage: Passage) -> str:
    """What the embedder reads of a passage."""
    return f"{passage.title}. {passage.text}"


def _problems(passage: Passage) -> Iterator[str]:
    for name in _REQUIRED:
        if not getattr(passage, name).strip():
            yield f"{name} is empty"
    yield from _too_much(passage.text)
    if passage.HasField("release"):
        yield "release is said by those who release it"
    if passage.source_kind not in SOURCE_KINDS:
        yield f"source_kind must be one of {', '.join(SOURCE_KINDS)}"
    if not _PUBLISHED.fullmatch(passage.published):
        yield "published must be YYYY, YYYY-MM or YYYY-MM-DD"
    if not all(code.system and code.code for code in passage.codes):
        yield "codes need a system and a code"


def _too_much(text: str) -> Iterator[str]:
    if len(text) > _LONGEST:
        yield f"text is longer than {_LONGEST} characters"
    elif doses.count(text) > _MOST_DOSES:
        yield f"text says more than {_MOST_DOSES} doses"
