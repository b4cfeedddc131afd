"""Names that a text may hold, found at word boundaries, the longest first.

The names that every text may hold come from terminology, gathered once per process; those of one record lie over them.
Guarantee: a mention is found in the same time however many names are known. Abbreviations of two letters count only
as physicians write them; a name that is also an ordinary word (`today`, a contraceptive) is none.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import drug_classes, drugs, families, names
from terminology.concepts import LOINC
from terminology.observables import Observable, observables, plain
from terminology.ordinary_words import is_one as is_ordinary
from terminology.scan import Words, american

from grounding import keys
from grounding.calculators import NAMES as CALCULATED

Keys = frozenset[str]
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SPACE = re.compile(r"\s+")
# Between the words of a name a text may have a space or a hyphen, or what the name itself has there.
_LOOSE = frozenset({"", "-"})
# An abbreviation of up to so many letters is looked for only as it is written.
_SHORT = 2
_NOTHING: Keys = frozenset()
# Words that say something of a result or a drug beside them.
_SAYING = frozenset(
    [
        "current",
        "currently",
        "elevated",
        "falling",
        "falls",
        "high",
        "left",
        "low",
        "normal",
        "raised",
        "reduced",
        "stable",
        "stopped",
        "without",
    ]
)


class Match(NamedTuple):
    """Characters [start, end) that are a name, and the keys of what it may mean."""

    start: int
    end: int
    keys: Keys


class _Entry(NamedTuple):
    """One name: what it has between its words, whether its case matters, and its keys."""

    gaps: tuple[str, ...]
    written: str
    keys: Keys


class Names:
    """Names by their words. One without keys takes its words and means nothing (`insulin syringe`)."""

    def __init__(self) -> None:
        self._entries: dict[Words, list[_Entry]] = {}
        self._longest: dict[str, int] = {}

    def add(self, name: str, meaning: Keys, *, as_written: bool = False) -> None:
        spans = list(_TOKEN.finditer(name))
        words = tuple(_word(each) for each in spans)
        if words:
            gaps = tuple(_gap(name, one.end(), other.start()) for one, other in itertools.pairwise(spans))
            self._add(words, _Entry(gaps, name[spans[0].start() : spans[-1].end()] if as_written else "", meaning))

    def add_words(self, words: Words, meaning: Keys) -> None:
        """A name of which only the words are known."""
        if words:
            self._add(tuple(map(_spelled, words)), _Entry(("",) * (len(words) - 1), "", meaning))

    def _add(self, words: Words, entry: _Entry) -> None:
        entries = self._entries.setdefault(words, [])
        if entry not in entries:
            entries.append(entry)
        self._longest[words[0]] = max(len(words), self._longest.get(words[0], 0))

    def beginnings(self) -> dict[str, set[str]]:
        """By key, the first words of its names."""
        found: dict[str, set[str]] = defaultdict(set)
        for words, entries in self._entries.items():
            for entry in entries:
                for key in entry.keys:
                    found[key].add(words[0])
        return found

    def __contains__(self, words: Words) -> bool:
        return words in self._entries

    def longest(self, word: str) -> int:
        """The most words that a name beginning with this one has."""
        return self._longest.get(word, 0)

    def meaning(self, words: Words, gaps: tuple[str, ...], text: str) -> Keys | None:
        """The keys of the name that these words are, with these gaps between them; None if they are no name."""
        entries = [each for each in self._entries.get(words, ()) if each.written in ("", text) and _fit(each, gaps)]
        return frozenset().union(*(each.keys for each in entries)) if entries else None


def _fit(entry: _Entry, gaps: tuple[str, ...]) -> bool:
    return all(gap in _LOOSE or gap == own for gap, own in zip(gaps, entry.gaps, strict=True))


def find(text: str, *known: Names) -> Iterator[Match]:
    """The names of a text in their order, none within another; of two sets of names, what both say."""
    spans = list(_TOKEN.finditer(text))
    words = tuple(_word(each) for each in spans)
    at = 0
    while at < len(spans):
        length, meaning = _longest_at(text, spans, words, at, known)
        if meaning:
            yield Match(spans[at].start(), spans[at + length - 1].end(), meaning)
        at += length


def _longest_at(
    text: str, spans: list[re.Match[str]], words: Words, at: int, known: Iterable[Names]
) -> tuple[int, Keys]:
    """How many words the longest name at this place has, and its keys; one word and none where no name begins."""
    longest = min(max([each.longest(words[at]) for each in known]), len(words) - at)
    if not longest:
        return 1, _NOTHING
    gaps = tuple(_gap(text, spans[n].end(), spans[n + 1].start()) for n in range(at, at + longest - 1))
    for length in range(longest, 0, -1):
        taken = words[at : at + length]
        if not any(taken in each for each in known):
            continue
        whole = text[spans[at].start() : spans[at + length - 1].end()]
        meanings = [each.meaning(taken, gaps[: length - 1], whole) for each in known]
        if any(each is not None for each in meanings):
            return length, frozenset().union(*(each or _NOTHING for each in meanings))
    return 1, _NOTHING


def _word(match: re.Match[str]) -> str:
    """In one spelling; a letter to the patient says `broke your wrist` of `broke her wrist`."""
    word = _spelled(match.group()).replace("'", "").replace("’", "")
    return "her" if word == "your" else word


_spelled = lru_cache(maxsize=65536)(american)


def _gap(text: str, end: int, start: int) -> str:
    return _SPACE.sub("", text[end:start])


@cache
def everywhere() -> Names:
    """What every text may name, whatever its record."""
    gathered = Names()
    for name, meaning in {**_observables(), **CALCULATED}.items():
        gathered.add(name, meaning)
    for name, observed in names.written().items():
        if not names.panel(name):
            gathered.add(name, _keys(observed), as_written=True)
    for words, meaning in _drugs().items():
        gathered.add_words(words, meaning)
    for problem in _problems():
        gathered.add(problem, _NOTHING)
    return gathered


def _problems() -> Iterator[str]:
    """Problems that hold the name of a result or a drug and mean neither: `iron deficiency`.

    One that says something of it (`high potassium`) speaks of the result.
    """
    named = (name for family in families.known().values() for name in family.names if not name.ambiguous)
    return (name.text for name in named if " " in name.text and not set(name.text.lower().split()) & _SAYING)


def _observables() -> Mapping[str, Keys]:
    """Names of results, as written and without their punctuation. The name of a panel is none, since its members do not
    share one value, unless one of them alone owns it: kidney function is the eGFR.
    """
    own: dict[str, list[Observable]] = {}
    for known in observables().values():
        for name in (known.name, known.short, *known.names):
            own.setdefault(plain(name), []).append(known)
    written = [name for known in observables().values() for name in (known.name, known.short, *known.names)]
    return {
        name: _keys(own[plain(name)] if names.panel(name) else names.spoken()[plain(name)])
        for name in (*written, *names.spoken())
        if _is_of_a_result(name, own)
    }


def _is_of_a_result(name: str, own: Mapping[str, Collection[Observable]]) -> bool:
    is_group = names.panel(name) is not None and len(own.get(plain(name), ())) != 1
    # `Na+` without its sign.
    is_short = plain(name) not in own and sum(map(str.isalnum, name)) <= _SHORT
    return not (is_group or is_short or is_ordinary(name)) and any(map(str.isalpha, name))


def _drugs() -> Mapping[Words, Keys]:
    """Ingredients, brands, combinations and classes."""
    classes = {words: frozenset({keys.of_class(each)}) for words, each in drug_classes.names().items()}
    for words, meaning in drugs.phrases().items():
        if not is_ordinary(" ".join(words)):
            own = frozenset({keys.of_drug(meaning)}) if meaning else _NOTHING
            classes[words] = classes.get(words, _NOTHING) | own
    return classes


def _keys(observed: Iterable[Observable]) -> Keys:
    return frozenset(keys.of_concept(CodedConcept(system=LOINC, code=each.loinc)) for each in observed)
