"""Names of the record in any order of their words: `knee X-ray` of `Plain X-ray of knee region`.

Guarantee: such a name says every word that carries meaning in the recorded one and no other word; names in which the
order or a small word decides (`without`, `from ... to`, `due to`) are left out.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from grounding.lexicon import Keys
from grounding.reading import names, wordings
from grounding.reading.nodes import Node

_WORD = re.compile(r"[a-z]+")
# Words that a name may leave out: they say how a code book files it.
_DROPPED_WORDS = """
    administration blood entire infusion intravenous joint measurement operation plain procedure product region routine
    structure surgical technique transfusion using
"""
_DROPPED = frozenset(_DROPPED_WORDS.split())
_BETWEEN = frozenset(("a", "an", "by", "for", "her", "his", "in", "of", "on", "the", "via", "with", "-", "/"))
# Where one of these stands, the same words in another order say something else.
_DECIDING_WORDS = """
    absence absent after and before both caused due except family from history left no nor not or over possible
    probable relation right risk secondary suspected than to type under until when while without
"""
_DECIDING = frozenset(_DECIDING_WORDS.split())
_NAMED = frozenset((names.IMAGING, names.OBSERVABLE, names.PANEL, names.PROBLEM, names.PROCEDURE, names.THING))
_SAME = {"film": ("x", "ray"), "radiograph": ("x", "ray"), "xray": ("x", "ray"), "exam": ("examination",),
         "strep": ("streptococcus",), "xr": ("x", "ray"), "lac": ("laceration",)}  # fmt: skip
_FEWEST, _MOST = 2, 12
_PLURAL = 4


@dataclass(frozen=True)
class Loose:
    """Recorded names by their words."""

    entries: Mapping[frozenset[str], tuple[tuple[frozenset[str], Keys, frozenset[str]], ...]] = field(
        default_factory=dict
    )
    words: frozenset[str] = frozenset()

    def meant(self, words: frozenset[str]) -> tuple[Keys, frozenset[str]] | None:
        """The keys and kinds of the names that these words are."""
        fitting = [each for each in self.entries.get(words - _DROPPED, ()) if words <= each[0]]
        if not fitting or len(words - _DROPPED) < _FEWEST:
            return None
        keys, kinds = (frozenset[str]().union(*(each[place] for each in fitting)) for place in (1, 2))
        return keys, kinds


def loose(recorded: Iterable[tuple[str, Keys, str]]) -> Loose:
    """From recorded names, with their keys and their kind."""
    entries: dict[frozenset[str], list[tuple[frozenset[str], Keys, frozenset[str]]]] = defaultdict(list)
    for name, keys, kind in dict.fromkeys(recorded):
        plain = wordings.plain(name)
        own = _words(plain)
        if not any(map(str.isdigit, plain)) and own.isdisjoint(_DECIDING):
            own -= _BETWEEN
            entries[own - _DROPPED].append((own, keys, frozenset({kind})))
    known = {core: tuple(found) for core, found in entries.items() if len(core) >= _FEWEST}
    return Loose(known, frozenset(word for found in known.values() for own, _, _ in found for word in own))


def named(tokens: Sequence[Node], known: Loose) -> list[Node] | None:
    """Tokens with such names in place of their words; None where there are none."""
    made: list[Node] = []
    at = 0
    while at < len(tokens):
        length, node = _longest(tokens, at, known)
        made.append(node)
        at += length
    return made if len(made) < len(tokens) else None


def shared(tokens: Sequence[Node], find: Callable[[str], Node | None]) -> list[Node] | None:
    """Tokens with what was done in place of a word that leaves out to what: `inserted in May, removed in June`."""
    made: list[Node] = []
    thing = ""
    for token in tokens:
        node = find(f"{thing} {token.text}") if thing and not token.kinds and wordings.is_deed(token.text) else None
        made.append(replace(node, start=token.start, end=token.end) if node else token)
        thing = wordings.object_of(token.text) or thing if token.kinds else thing
    return made if any(one is not other for one, other in zip(made, tokens, strict=True)) else None


def _longest(tokens: Sequence[Node], at: int, known: Loose) -> tuple[int, Node]:
    """How many tokens the longest name here has, and what it is; the token itself where none begins."""
    best, said = (1, tokens[at]), frozenset[str]()
    for end in range(at, min(at + _MOST, len(tokens))):
        if tokens[end].text in _BETWEEN and end > at:
            continue
        own = _words(tokens[end].text) - _BETWEEN
        if not own or not own <= known.words or not _is_word(tokens[end]):
            break
        said |= own
        meant = known.meant(said) if end > at else None
        if meant:
            text = " ".join(token.text for token in tokens[at : end + 1])
            best = (end + 1 - at, Node(text, tokens[at].start, tokens[end].end, meant[1], value=meant[0]))
    return best


def _is_word(token: Node) -> bool:
    """A word, or the name of something that another name may hold; nothing with digits."""
    return (not token.kinds or bool(token.kinds & _NAMED)) and not any(map(str.isdigit, token.text))


def _words(text: str) -> frozenset[str]:
    single = map(_singular, _WORD.findall(text.casefold()))
    return frozenset(word for each in single for word in _SAME.get(each, (each,)))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > _PLURAL:
        return f"{word[:-3]}y"
    return word[:-1] if len(word) >= _PLURAL and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
