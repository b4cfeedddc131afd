"""Whether a sentence of a text says what another sentence does, in nearly its words, where neither is read whole.

Guarantee: nothing is added and nothing left out. Both have the same names, numbers and words of meaning in the same
order, by their stems and without pronouns and articles, and the same words that deny, doubt or order; only the time may
stand in another place.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from grounding.comparing.signature import word_of
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount

_SILENT_WORDS = """
    the a an this that these her his their its she he it him them we pt patient i and
"""
_SILENT = frozenset(_SILENT_WORDS.split())
# What turns what is said: it must stand in both.
_SCOPE_WORDS = """
    no not never denies denied deny without neither nor none negative if unless whether probably probable possibly
    possible suspected suspect suspects likely unlikely may might could would should shall will must cannot can either
    query rule ruled only all any plan planned consider considered advise advised recommend recommended
    mother father sister brother son daughter aunt uncle grandmother grandfather cousin parent parents husband wife
    family partner neighbour friend rarely seldom hardly barely almost nearly formerly former previously previous past
    stop stops stopped ended over gone resolved tomorrow next
"""
_SCOPE = frozenset(_SCOPE_WORDS.split())
_SAME_SCOPE = {
    "denies": "no", "denied": "no", "deny": "no", "without": "no", "not": "no", "nor": "no", "none": "no",
    "neither": "no", "probable": "probably", "likely": "probably", "possible": "possibly", "suspects": "suspected",
    "suspect": "suspected", "planned": "plan", "considered": "consider", "any": "", "can": "", "will": "plan",
    "shall": "plan",
    "advised": "advise", "recommended": "recommend", "stops": "stop", "stopped": "stop", "former": "formerly",
    "previous": "previously", "past": "previously", "tomorrow": "", "next": "",
}  # fmt: skip
_IRREGULAR = {
    "fell": "fall", "fallen": "fall", "felt": "feel", "took": "take", "taken": "take", "gave": "give", "given": "give",
    "began": "begin", "begun": "begin", "went": "go", "gone": "go", "goes": "go", "rose": "rise", "risen": "rise",
    "slept": "sleep", "ate": "eat", "eaten": "eat", "drank": "drink", "lost": "lose", "worse": "worsen",
    "broke": "break", "broken": "break", "came": "come", "left": "left", "kept": "keep", "got": "get", "bled": "bleed",
    "breathless": "dyspnoea", "painful": "pain", "tiredness": "tired", "fatigue": "tired", "fatigued": "tired",
    "degrees": "", "degree": "", "celsius": "", "°": "", "c": "",
}  # fmt: skip
_ENDING = re.compile(r"(?<=[a-z]{3})(?:ness|ing|ed|es|s)$")
_DOUBLE = re.compile(r"([bdgmnprt])\1$")
_LEAST = 2
_DEGREES = {"", "°C"}
# Marks that say nothing.
_MARKS = frozenset(".,;:()[]-–—/'\"“”‘’•*")

# A word by its stem, a name by its keys and its stem, an amount by its value and unit.
_Item = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """What a row of nodes says: names, numbers and words in their order, what turns them, when, and in which texts."""

    items: tuple[_Item, ...] = ()
    scope: tuple[str, ...] = ()
    whens: tuple[Node, ...] = ()
    origins: tuple[Node, ...] = ()

    @property
    def lengths(self) -> frozenset[object]:
        """The lengths of time that it gives."""
        amounts = (leaf.value.value for when in self.whens for leaf in _leaves(when) if isinstance(leaf.value, Amount))
        return frozenset((*amounts, *(item[0] for _, item in self.of("amount"))))

    @property
    def words(self) -> frozenset[object]:
        return frozenset(item for kind, item in self.items if kind == "word")

    def of(self, kind: str) -> "list[_Item]":
        return [each for each in self.items if each[0] == kind]


@lru_cache(50_000)
def stem(word: str) -> str:
    """A word without its ending: `falls`, `falling` and `fell` as `fall`."""
    word = word_of(word.casefold())
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    bare = _DOUBLE.sub(r"\1", _ENDING.sub("", word))
    return bare[:-1] if len(bare) > _LEAST and bare.endswith("e") else bare


def content(nodes: Sequence[Node]) -> Content:
    items: list[_Item] = []
    apart: dict[str, list[Node]] = {"when": [], "origin": []}
    scope = ["plan"] if any(_is_to_be(*pair) for pair in pairwise(nodes)) else []
    for node in nodes:
        part = next((kind for kind in apart if kind in node.kinds), "")
        if part == "origin" and (node is not nodes[0] or " " not in node.text):
            part = ""
        if part and node.says("time") != "span":
            apart[part].append(node)
            continue
        found = [item for leaf in _leaves(node) if (item := _item(leaf))]
        scope += [str(word) for kind, word in found if kind == "scope"]
        items += [each for each in found if each[0] != "scope"]
    return Content(tuple(items), tuple(sorted(set(filter(None, scope)))), *map(tuple, apart.values()))


def _is_to_be(first: Node, second: Node) -> bool:
    return (first.text, second.text) == ("to", "be")


def _leaves(node: Node) -> Iterator[Node]:
    if not node.parts:
        yield node
    for part in node.parts:
        yield from _leaves(part)


def _item(leaf: Node) -> _Item | None:
    if isinstance(leaf.value, frozenset):
        return ("name", (leaf.value, stem(leaf.text)))
    if isinstance(leaf.value, Amount):
        return ("amount", (leaf.value.value, leaf.value.unit.rstrip("s")))
    if leaf.value is not None:
        return ("amount", (leaf.text.casefold(), ""))
    return _word(leaf.text.casefold())


def _word(text: str) -> _Item | None:
    if text in _SCOPE:
        return ("scope", _SAME_SCOPE.get(text, text))
    if not any(map(str.isalnum, text)):
        return None if text in _MARKS else ("word", text)
    return ("word", stem(text)) if text not in _SILENT and stem(text) else None


def says(text: Content, other: Content) -> bool:
    """Whether the text says what is said, and nothing more; the days of both are compared elsewhere."""
    if len(other.items) < _LEAST or len(other.items) != len(text.items) or len(other.origins) > 1:
        return False
    return text.scope == other.scope and all(map(_same, text.items, other.items))


def _same(own: _Item, one: _Item) -> bool:
    if own[0] != one[0]:
        return False
    if own[0] == "name":
        return bool(own[1][0] & one[1][0])
    if own[0] == "amount":
        return own[1][0] == one[1][0] and (own[1][1] == one[1][1] or {own[1][1], one[1][1]} == _DEGREES)
    return bool(own[1] == one[1])
