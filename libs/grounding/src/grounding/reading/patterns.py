r"""Patterns of productions: what stands between the tabs of a row, compiled to match a row of tokens.

    potassium        this word (any case), or mark
    @fell            any of the words of a group of `words.tsv`
    <value>          a token or phrase of this kind
    <to:value>       the same, in the role `to`
    {name}           the pattern of this name in `parts.tsv`
    ( a | b )        one of them; `?`, `*` and `+` behind an item: at most one, any number, at least one
    \( \) \?       these marks themselves

Each kind of token is one character of a private alphabet, so that a production is a regular expression over tokens and
a sentence is read by the machine that matches those. Guarantee: there is no item that takes any word.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from grounding.reading.nodes import Node

_ITEM = re.compile(r"\s*(?:<(?:(?P<role>[\w-]+):)?(?P<kind>[\w|-]+)>|@(?P<group>[\w-]+)|(?P<mark>\\.)|"
                   r"(?P<syntax>[()|?*+])|(?P<word>[^\s()|?*+@\\]+))")  # fmt: skip
# A word with its apostrophe, an arrow or comparator, or a mark.
TOKEN = re.compile(r"[A-Za-z][0-9][a-c]?(?![\w])|[A-Za-zÀ-ÖØ-öø-ÿ]+(?:['’][A-Za-z]+)?|->|→|⇒|<=|>=|≤|≥|\S")
_FIRST = 0xE000
_UNKNOWN = "\uffff"


class PatternError(ValueError):
    """A pattern that cannot be compiled."""


class Alphabet:
    """One character for each word that a production names, and for each set of kinds that a token may have."""

    def __init__(self) -> None:
        self._of_word: dict[str, str] = {}
        self._of_kinds: dict[frozenset[str], str] = {}
        self._next = _FIRST
        # Words that are also taken as a kind: `now` is a `when`.
        self.words_of_kind: dict[str, frozenset[str]] = {}

    def word(self, text: str) -> str:
        """The character of a word that productions name."""
        if text not in self._of_word:
            self._of_word[text] = self._new()
        return self._of_word[text]

    def known_word(self, text: str) -> str:
        """The character of a word in a text; that of no production where none names it."""
        return self._of_word.get(text, _UNKNOWN)

    def names(self, text: str) -> bool:
        """Whether a production names this word."""
        return text in self._of_word

    def kinds(self, kinds: frozenset[str]) -> str:
        if kinds not in self._of_kinds:
            self._of_kinds[kinds] = self._new()
        return self._of_kinds[kinds]

    def of_kind(self, kind: str) -> str:
        """All characters whose tokens may be taken as this kind."""
        words = map(self.word, sorted(self.words_of_kind.get(kind, ())))
        return "".join((*words, *(character for kinds, character in self._of_kinds.items() if kind in kinds)))

    def is_of_kind(self, node: Node, kind: str) -> bool:
        """Whether a token may be taken as this kind."""
        return kind in node.kinds or (not node.kinds and node.text in self.words_of_kind.get(kind, ()))

    def _new(self) -> str:
        self._next += 1
        return chr(self._next)


@dataclass(frozen=True)
class Pattern:
    """One pattern. `required`: of each of these sets of characters one must be there."""

    source: str
    alphabet: Alphabet
    groups: Mapping[str, tuple[str, ...]]

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        try:
            return re.compile(self._translated[0])
        except re.error as error:
            raise PatternError(f"{error}: {self.source}") from error

    @cached_property
    def named(self) -> tuple[str, ...]:
        """The role of each captured group, in their order."""
        return self._translated[1]

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that stand in the pattern without a role: they are their own."""
        return tuple(dict.fromkeys(each["kind"] for each in _items(self.source) if each["kind"] and not each["role"]))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word that it names."""
        found: set[str] = set()
        for each in _items(self.source):
            found |= set(split((each["word"] or "").lower()) or self._spelled(each))
        return frozenset(found)

    @cached_property
    def required(self) -> tuple[frozenset[str], ...]:
        """For each item outside brackets that must be there, the characters that it may be."""
        items = list(_items(self.source))
        needed, depth = [], 0
        if any(each["syntax"] == "|" for each in items) and not _bracketed(items):
            return ()
        for place, each in enumerate(items):
            depth += {"(": 1, ")": -1}.get(each["syntax"] or "", 0)
            optional = place + 1 < len(items) and items[place + 1]["syntax"] in ("?", "*")
            if depth or each["syntax"] or optional:
                continue
            words = split((each["word"] or "").lower())
            needed += [frozenset(self.alphabet.word(word)) for word in words] or [frozenset(self._characters(each))]
        return tuple(needed)

    @cached_property
    def _translated(self) -> tuple[str, tuple[str, ...]]:
        made, roles = [], []
        for each in _items(self.source):
            if each["syntax"]:
                made.append("(?:" if each["syntax"] == "(" else each["syntax"])
            elif each["role"]:
                roles.append(each["role"])
                made.append(f"([{self._characters(each)}])")
            elif each["group"]:
                made.append(self._group(each["group"]))
            elif each["word"]:
                words = "".join(map(self.alphabet.word, split(each["word"].lower())))
                made.append(words if len(words) == 1 else f"(?:{words})")
            else:
                characters = self._characters(each)
                if not characters:
                    raise PatternError(f"nothing is of the kind {each['kind']}: {self.source}")
                made.append(f"[{characters}]")
        return "".join(made), tuple(roles)

    def _characters(self, item: Mapping[str, str | None]) -> str:
        if item["kind"]:
            return "".join(self.alphabet.of_kind(kind) for kind in item["kind"].split("|"))
        return "".join(self.alphabet.word(word) for word in self._spelled(item))

    def _group(self, name: str) -> str:
        if name not in self.groups:
            raise PatternError(f"no group of words is named {name}")
        spelled = sorted(self.groups[name], key=lambda words: -len(words.split()))
        return "(?:" + "|".join("".join(map(self.alphabet.word, split(words))) for words in spelled) + ")"

    def _spelled(self, item: Mapping[str, str | None]) -> tuple[str, ...]:
        if item["group"]:
            return tuple(word for words in self.groups.get(item["group"], ()) for word in split(words))
        return (item["mark"][1],) if item["mark"] else ()


def split(text: str) -> list[str]:
    """Words and marks, as a sentence is split into them."""
    return TOKEN.findall(text)


def _items(source: str) -> Iterable[Mapping[str, str | None]]:
    at = 0
    text = source.rstrip()
    while at < len(text):
        match = _ITEM.match(text, at)
        if match is None:
            raise PatternError(f"cannot be read from character {at}: {source}")
        yield match.groupdict()
        at = match.end()


def _bracketed(items: list[Mapping[str, str | None]]) -> bool:
    """Whether every `|` stands within brackets."""
    depth = 0
    for each in items:
        depth += {"(": 1, ")": -1}.get(each["syntax"] or "", 0)
        if each["syntax"] == "|" and depth == 0:
            return False
    return True
