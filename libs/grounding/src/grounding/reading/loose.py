"""Names of the record in any order of their words (`knee X-ray` of `Plain X-ray of knee region`), and in part
(`neuropathy` of `Neuropathy due to type 2 diabetes mellitus`).

Guarantee: a name in another order says every word that carries meaning in the recorded one and no other word; names in
which the order or a small word decides (`without`, `from ... to`, `due to`) are left out. A name in part says the thing
itself with what could make it another thing, so that it is true of whatever the whole name is true of: it leaves out
only where, of what and by what it is, and words like `acute`. It is marked, since it does not tell that there is none.
"""

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from terminology.scan import american

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
         "strep": ("streptococcus",), "cx": ("culture",), "xr": ("x", "ray"), "lac": ("laceration",)}  # fmt: skip
_FEWEST, _MOST = 2, 12
# What says nothing without what it is of, or denies it.
_EMPTY_WORDS = """
    abnormality absence abuse admission alteration application assessment attempt care change condition contact control
    counseling decrease deficiency disease disorder education encounter entity evaluation event examination exposure
    failure fear finding history increase infection insertion intervention lack level loss management measurement
    misuse monitoring need observation pain part plan procedure product program record referral refusal region removal
    replacement report result review risk screening service sign situation stage state status structure suspicion
    symptom syndrome termination test therapy threat transfer treatment use victim visit
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
PARTIAL = "partial"
_STAGE = "stage"
_NOR = "nor"
_NEITHER = frozenset(("neither", _NOR))
# Prefixes that are written with a hyphen too.
_PREFIX = re.compile(r"post(?=[a-z]{4})")
_PLURAL = 4


@dataclass(frozen=True)
class Loose:
    """Recorded names by their words."""

    entries: Mapping[frozenset[str], tuple[tuple[frozenset[str], Keys, frozenset[str]], ...]] = field(
        default_factory=dict
    )
    words: frozenset[str] = frozenset()
    # By the thing itself: the words that must be said and those that may, with keys and kind.
    things: Mapping[str, tuple[tuple[frozenset[str], frozenset[str], Keys, str], ...]] = field(default_factory=dict)

    def partly(self, words: frozenset[str]) -> tuple[Keys, frozenset[str]] | None:
        """The keys and kinds of the names of which these words are a part."""
        named = (each for word in words for each in self.things.get(word, ()))
        fitting = [(keys, kind) for must, may, keys, kind in named if must <= words <= may]
        if not fitting or words <= _EMPTY:
            return None
        return frozenset[str]().union(*(keys for keys, _ in fitting)), frozenset(kind for _, kind in fitting)

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
    things: dict[str, list[tuple[frozenset[str], frozenset[str], Keys, str]]] = defaultdict(list)
    for name, keys, kind in dict.fromkeys(recorded):
        plain = wordings.plain(name)
        own = _words(plain)
        thing = _thing(plain)
        if thing:
            things[thing[0]].append((*thing[1:], keys, kind))
        if not any(map(str.isdigit, plain)) and own.isdisjoint(_DECIDING):
            own -= _BETWEEN
            entries[own - _DROPPED].append((own, keys, frozenset({kind})))
    known = {core: tuple(found) for core, found in entries.items() if len(core) >= _FEWEST}
    words = {word for found in known.values() for own, _, _ in found for word in own}
    words.update(word for found in things.values() for _, may, _, _ in found for word in may)
    return Loose(known, frozenset(words), {word: tuple(found) for word, found in things.items()})


def _thing(name: str) -> tuple[str, frozenset[str], frozenset[str]] | None:
    """The thing that a name is of, the words that a part of it must say, those that it may; None where it is none."""
    before, words = wordings.thing(name)
    if not before or _words(" ".join(words)) & _DECIDING - {"caused", "due", "type", "left", "right"}:
        return None
    said = [word for each in before for word in sorted(_words(each))]
    must = frozenset(said) - wordings.OF_KIND | {said[-1]}
    return (said[-1], must, _words(" ".join(words)) - _BETWEEN - wordings.BEHIND) if len(words) > 1 else None


def named(tokens: Sequence[Node], known: Loose) -> list[Node] | None:
    """Tokens with such names in place of their words; None where there are none."""
    made: list[Node] = []
    at = 0
    while at < len(tokens):
        length, node = _longest(tokens, at, known)
        made.append(node)
        at += length
    return made if any(one is not other for one, other in zip(made, tokens, strict=False)) else None


def shared(tokens: Sequence[Node], find: Callable[[str], Node | None]) -> list[Node] | None:
    """Tokens with a name in place of words that leave out what stands before them.

    What was done to a thing (`inserted in May, removed in June`), a stage (`CKD stage 1 in April and stage 2 in May`),
    an answer that is denied (`neither a refugee nor a veteran`).
    """
    made: list[Node] = []
    thing = staged = ""
    at = 0
    while at < len(tokens):
        token, behind = tokens[at], tokens[at + 1 : at + 2]
        told, length = "", 1
        if thing and not token.kinds and wordings.is_deed(token.text):
            told = f"{thing} {token.text}"
        elif staged and behind and token.text == _STAGE:
            told, length = f"{staged} {behind[0].text}", 2
        elif token.text in _NEITHER:
            told, length = _denied(tokens[at + 1 :])
        node = find(told) if told else None
        end = at + length if node else at + 1
        if node and token.text == _NOR:
            made.append(replace(token, text="and"))
        made.append(replace(node, start=token.start, end=tokens[end - 1].end) if node else token)
        if made[-1].kinds:
            thing = wordings.object_of(made[-1].text) or thing
            before, stage, _ = made[-1].text.rpartition(f" {_STAGE} ")
            staged = f"{before}{stage}".rstrip() or staged
        at = end
    return made if len(made) != len(tokens) or any(map(operator.is_not, made, tokens)) else None


def _denied(rest: Sequence[Node]) -> tuple[str, int]:
    """`Not a refugee` of what stands behind `neither`, and how many tokens that is with it."""
    length = 2 if rest and rest[0].text in ("a", "an") else 1
    return f"not {' '.join(each.text for each in rest[:length])}", length + 1


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
        whole = meant is not None
        if not whole and not all(token.kinds for token in tokens[at : end + 1]):
            meant = known.partly(said)
        if meant:
            text = " ".join(token.text for token in tokens[at : end + 1])
            sets = {} if whole else {PARTIAL: "yes"}
            best = (end + 1 - at, Node(text, tokens[at].start, tokens[end].end, meant[1], value=meant[0], sets=sets))
    return best


def _is_word(token: Node) -> bool:
    """A word, or the name of something that another name may hold; nothing with digits."""
    return (not token.kinds or bool(token.kinds & _NAMED)) and not any(map(str.isdigit, token.text))


def _words(text: str) -> frozenset[str]:
    single = map(_singular, _WORD.findall(_PREFIX.sub("post ", american(text))))
    return frozenset(word for each in single for word in _SAME.get(each, wordings.noun_of(each)))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > _PLURAL:
        return f"{word[:-3]}y"
    return word[:-1] if len(word) >= _PLURAL and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
