"""Lines that lead others, and questions: what they say of the lines below is read by productions like everything else.

Guarantee: only a line that is read whole as a section, or a question that presupposes nothing, asserts nothing.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from grounding.reading import tokens
from grounding.reading.grammar import grammar
from grounding.reading.nodes import Node

# Words of the longest line that leads others, and characters.
_WORDS, _CHARACTERS = 12, 100
_ENDS = frozenset(":.-–—")
# A day of a leading line is written out: no year is guessed from it.
_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Section:
    """What a leading line says of each line below: `lead` stands before it; empty: nothing.

    `lone`: whether a line below that says what it says by itself may be read alone.
    """

    lead: str = ""
    lone: bool = True


@lru_cache(4_096)
def section(line: str) -> Section | None:
    """The section that a line begins; None for every other line."""
    made = _tokens(line)
    # `Discharge` alone is an event, and in `Discharge summary` a word.
    read = _row(grammar().phrases(made)) or _row(made)
    if read is None or not all(any(when.within(tokens.DATE)) for when in read.all("when")):
        return None
    days = " ".join(line[when.start : when.end] for when in read.all("when"))
    lead = read.says("lead").replace("-", " ")
    return Section(f"{lead} {days}".strip() if lead or days else "", lone=read.says("alone") != "no")


@lru_cache(4_096)
def asks_only(question: str) -> bool:
    """Whether a question asks and presupposes nothing."""
    if not question.endswith("?") or len(question) > _CHARACTERS:
        return False
    nodes = grammar().phrases(tokens.tokens(question.rstrip("? "), _DAY))
    return grammar().line_of(nodes, grammar().questions) is not None


def _row(nodes: list[Node]) -> Node | None:
    return grammar().line_of(nodes, grammar().sections)


def _tokens(line: str) -> list[Node]:
    if len(line) > _CHARACTERS or len(line.split()) > _WORDS:
        return []
    made = tokens.tokens(line, _DAY)
    while made and made[-1].text in _ENDS:
        made.pop()
    return made
