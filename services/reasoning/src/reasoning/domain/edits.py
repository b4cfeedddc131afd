"""What a physician did to a drafted text, as spans of its characters, ready for training.

Guarantee: the spans are in order, do not overlap and are together the whole draft; applying them gives exactly the text
that the physician left. Words and numbers are never cut.
"""

import re
from difflib import SequenceMatcher
from itertools import accumulate

from longitude.reasoning.v1 import assessment_pb2 as wire

_PIECE = re.compile(r"\d+(?:[.,]\d+)*|\w+|\s+|[^\w\s]")
_JUDGEMENTS: dict[str, "wire.Judgement.ValueType"] = {
    "equal": wire.JUDGEMENT_KEPT,
    "delete": wire.JUDGEMENT_REMOVED,
    "replace": wire.JUDGEMENT_REPLACED,
    "insert": wire.JUDGEMENT_ADDED,
}


def kept(original: str) -> list[wire.ReviewedSpan]:
    """The whole of an accepted text."""
    return _whole(original, wire.JUDGEMENT_KEPT)


def removed(original: str) -> list[wire.ReviewedSpan]:
    """The whole of a rejected text."""
    return _whole(original, wire.JUDGEMENT_REMOVED)


def edited(original: str, text: str) -> list[wire.ReviewedSpan]:
    """Word by word, what was kept, removed, replaced and added."""
    before, after = _PIECE.findall(original), _PIECE.findall(text)
    places = [0, *accumulate(map(len, before))]
    changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [
        wire.ReviewedSpan(
            start=places[one],
            end=places[other],
            judgement=_JUDGEMENTS[change],
            replacement="" if change == "equal" else "".join(after[first:last]),
        )
        for change, one, other, first, last in changes
    ]


def _whole(original: str, judgement: "wire.Judgement.ValueType") -> list[wire.ReviewedSpan]:
    return [wire.ReviewedSpan(start=0, end=len(original), judgement=judgement)] if original else []
