"""What a sentence was read as, in words: the kind of each assertion and which part of it plays which role."""

from collections.abc import Iterator
from dataclasses import dataclass

from grounding.reading.nodes import Node
from grounding.spans import Span


@dataclass(frozen=True, slots=True)
class Asserted:
    """Characters [start, end) of a text, the kind of assertion, and its arguments by name."""

    start: int
    end: int
    kind: str
    arguments: tuple[tuple[str, str], ...]


def asserted(clause: Node, span: Span) -> Asserted:
    """A clause of the sentence that is this span of a text. What leads the sentence is in its arguments alone."""
    length = span.end - span.start
    start, end = min(max(clause.start, 0), length), min(max(clause.end, 0), length)
    if start >= end:
        start, end = 0, length
    named = tuple((name, node.text) for name, node in sorted(_arguments(clause), key=lambda each: each[1].start))
    return Asserted(span.start + start, span.start + end, clause.kind, (*named, *sorted(clause.sets.items())))


def _arguments(node: Node) -> Iterator[tuple[str, Node]]:
    """The innermost parts that play a role, each once."""
    for role, nodes in node.roles.items():
        for each in nodes:
            inner = list(_arguments(each))
            if inner:
                yield from inner
            else:
                yield role, each
