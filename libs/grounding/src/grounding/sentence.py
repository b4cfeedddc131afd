"""Reads a sentence into assertions.

Guarantee: a sentence that is not read whole has no assertions, and the word that stopped it is told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import chain, pairwise

from grounding.comparing.record import Record
from grounding.reading import loose, names, tokens
from grounding.reading.grammar import grammar
from grounding.reading.nodes import Node

_ENDS = frozenset(".!")
# A point and a letter before the last point of an abbreviation.
_SHORT = 2
# What `it` may stand for.
_NAMED = frozenset({names.OBSERVABLE, names.DRUG, names.CLASS, names.PROBLEM})


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence, the assertions that cover it, or else the token that stopped reading; its plain words."""

    sentence: str
    clauses: tuple[Node, ...]
    stopped: Node | None
    words: frozenset[str]


def read(sentence: str, record: Record, before: str = "", lead: str = "") -> Reading:
    """A sentence with the one before it, to which `it` may go back, and what leads it. Offsets are the sentence's."""
    return _read(sentence, record.today, record.known, before, lead)


# Of many records the same is said: what is due, in the words of its row.
@lru_cache(maxsize=256)
def _read(sentence: str, today: date, known: tokens.Known, before: str, lead: str) -> Reading:
    made = tokens.tokens(lead + sentence, today, known)
    words = frozenset(token.text for token in made if not token.kinds)
    made = made[: len(made) - _ending(made)]
    if lead:
        made = [_moved(node, -len(lead)) for node in made]
    clauses, stopped = _clauses(made)
    freely = None if clauses else _freely(made, known)
    if freely:
        clauses, stopped = _clauses(freely)
    if not clauses and before and "it" in words:
        clauses, stopped = _clauses(_referred(made, tokens.tokens(before, today, known))) or (clauses, stopped)
    return Reading(sentence, clauses, stopped, words)


def _freely(made: Sequence[Node], known: tokens.Known) -> list[Node] | None:
    """Tokens with the names that the record has in another order, or that a list leaves out."""
    ordered = loose.named(made, known.loose)
    return loose.shared(ordered or made, lambda text: tokens.name_of(text, known)) or ordered


def _clauses(made: Sequence[Node]) -> tuple[tuple[Node, ...], Node | None]:
    clauses, nodes, at = grammar().read(made)
    return clauses, None if clauses or not nodes else _stop(nodes[min(at, len(nodes) - 1) :])


def _stop(rest: Sequence[Node]) -> Node:
    """Of what was not read: the first word that no production names, else the first behind a name, else the first."""
    words = [node for node in rest if not node.kinds]
    unknown = (node for node in words if not grammar().alphabet.names(node.text))
    behind = (node for before, node in pairwise(rest) if before.kinds and not node.kinds and node.text.isalpha())
    return next(chain(unknown, behind), rest[0])


def _ending(made: Sequence[Node]) -> int:
    """How many marks end the sentence; the last point of `b.i.d.` is no end."""
    count = 0
    while count < len(made) and made[-1 - count].text in _ENDS:
        count += 1
    before = [node.text for node in made[-count - 2 : len(made) - count]]
    is_short = count == 1 and len(before) == _SHORT and before[0] == "." and len(before[1]) == 1
    return 0 if is_short else count


def _moved(node: Node, distance: int) -> Node:
    return replace(node, start=node.start + distance, end=node.end + distance)


def _referred(made: Iterable[Node], before: Iterable[Node]) -> list[Node]:
    """`It` as the only thing that the sentence before names; unread where that names none or more."""
    named = {node.value: node for node in before if node.kinds & _NAMED}
    if len(named) != 1:
        return list(made)
    (meant,) = named.values()
    return [replace(meant, start=node.start, end=node.end) if node.text == "it" else node for node in made]
