"""Finds the mentions of a text, most specific first: quotations, titles, names, dates, numbers, labels, cues, words.

Guarantee: what a specific scanner took is not seen by a later one, and every word is taken by one or is neutral.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION

from grounding import dates, facts, keys, lexicon, numbers, relations
from grounding.calculators import LABELS
from grounding.lexicon import Names
from grounding.mentions import (
    Cue,
    CueMention,
    LabelMention,
    Mention,
    NameMention,
    QuoteMention,
    Sentence,
    TitleMention,
    WordMention,
)
from grounding.sources import Sources
from grounding.spans import sentences
from grounding.statements import METHODS
from grounding.vocabulary import CUE_OF, NEUTRAL, WORD, stem

_QUOTE = re.compile(r"“([^”]+)”")
_LABELS = (
    *LABELS,
    ("ckd-stage", re.compile(r"\b(?:CKD )?stage (?:[1245]|3[ab]?)\b", re.IGNORECASE)),
    (
        "frequency",
        re.compile(
            r"\b(?:(?:once|twice|one time|two times|three times|four times|thrice) "
            r"(?:daily|a day|per day|weekly|a week)|"
            r"every (?:4|6|8|12|24) hours|(?:as|when|if) needed|prn|p\.r\.n\.|"
            r"daily|weekly|nightly|q(?:4|6|8|12|24)h|bid|tid|qid|qd|qhs|"
            r"b\.i\.d\.|t\.i\.d\.)(?!\w)",
            re.IGNORECASE,
        ),
    ),
    (
        "route",
        re.compile(
            r"\b(?:orally|oral|by mouth|per os|p\.o\.|po|intravenously|intravenous|iv|"
            r"subcutaneously|subcutaneous|sc|sq|intramuscular|im|inhaled|inhalation|topical|rectal|sublingual|transdermal)(?!\w)",
            re.IGNORECASE,
        ),
    ),
    ("rapid-progression", re.compile(r"\brapid(?:ly)? progress(?:ion|ive|ing|ed)\b", re.IGNORECASE)),
)
_CUE = re.compile(
    r"\b(" + "|".join(re.escape(word) for word in sorted(CUE_OF, key=len, reverse=True)) + r")(?![\w-])", re.IGNORECASE
)
_NEUTRAL_STEMS = frozenset(stem(word) for word in NEUTRAL)


@dataclass(frozen=True)
class Scanner:
    """Knows the names of one episode's sources beside the lexicon; build it once per episode."""

    sources: Sources

    @cached_property
    def names(self) -> Names:
        """The names of the record's own facts, which lie over those that every text may hold."""
        own = Names()
        for subject in dict.fromkeys(facts.about(recorded.fact) for recorded in self.sources.recorded):
            for name in filter(_is_name, subject.names):
                own.add(name, subject.own_keys)
        return own

    @cached_property
    def _drugs(self) -> frozenset[str]:
        """Keys of the record's medications, those among them that terminology does not know."""
        taken = self.sources.of_kind(FACT_KIND_MEDICATION)
        return frozenset(key for fact in taken for key in facts.about(fact).own_keys)

    def scan(self, text: str, passages: Iterable[Passage] = ()) -> tuple[Sentence, ...]:
        """The sentences of a text with their mentions, in order."""
        mentions = sorted(self._passes(text, tuple(passages)), key=lambda mention: mention.start)
        starts = [mention.start for mention in mentions]
        return tuple(
            Sentence(span, tuple(mentions[bisect_left(starts, span.start) : bisect_left(starts, span.end)]))
            for span in sentences(text)
        )

    def _passes(self, text: str, passages: tuple[Passage, ...]) -> Iterator[Mention]:
        """Runs the scanners one after the other, blanking what each one took."""
        rest = text
        for scanner in (
            _quotes,
            lambda part: _titles(part, passages),
            _cross_reactions,
            self._named,
            dates.find,
            _labels,
            numbers.find,
            _cues,
            _words,
        ):
            found = _without_overlap(scanner(rest))
            yield from found
            for mention in found:
                rest = rest[: mention.start] + "\0" * (mention.end - mention.start) + rest[mention.end :]

    def _named(self, text: str) -> Iterator[Mention]:
        for start, end, meant in lexicon.find(text, self.names, lexicon.everywhere()):
            yield NameMention(start, end, text[start:end], meant, self._is_drug(meant))

    def _is_drug(self, meant: frozenset[str]) -> bool:
        """Whether a name means a drug. One that may also mean a result (`testosterone`) does where it is taken."""
        only = any(map(keys.is_drug, meant)) and not any(map(keys.is_result, meant))
        return only or bool(meant & self._drugs)


def _without_overlap(mentions: Iterable[Mention]) -> list[Mention]:
    kept: list[Mention] = []
    for mention in sorted(mentions, key=lambda each: (each.start, -each.end)):
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
    return kept


def _is_name(name: str) -> bool:
    lower = name.lower()
    return (
        len(lower) >= 3 and lower not in CUE_OF and stem(lower) not in _NEUTRAL_STEMS and any(map(str.isalpha, lower))
    )


def _quotes(text: str) -> Iterator[Mention]:
    return (QuoteMention(match.start(), match.end(), match.group(1)) for match in _QUOTE.finditer(text))


def _titles(text: str, passages: tuple[Passage, ...]) -> Iterator[Mention]:
    titles = [each for passage in passages for each in (passage.source, passage.title, passage.grade) if each]
    titles += [f"grade {passage.grade}" for passage in passages if passage.grade]
    for title in sorted({*titles, *METHODS}, key=len, reverse=True):
        for match in re.finditer(rf"(?<!\w){re.escape(title)}(?!\w)", text, re.IGNORECASE):
            yield TitleMention(match.start(), match.end(), match.group())


def _cross_reactions(text: str) -> Iterator[Mention]:
    for match in relations.pattern().finditer(text):
        yield LabelMention(match.start(), match.end(), match.group(), relations.FAMILY, match.group())


def _labels(text: str) -> Iterator[Mention]:
    for family, pattern in _LABELS:
        for match in pattern.finditer(text):
            yield LabelMention(match.start(), match.end(), match.group(), family, match.group())


def _cues(text: str) -> Iterator[Mention]:
    for match in _CUE.finditer(text):
        yield CueMention(match.start(), match.end(), match.group(), CUE_OF[match.group().lower()])


def _words(text: str) -> Iterator[Mention]:
    for match in WORD.finditer(text):
        if stem(match.group()) not in _NEUTRAL_STEMS and match.group().lower() not in NEUTRAL:
            yield WordMention(match.start(), match.end(), match.group())


def cue(sentence: Sentence, *cues: Cue) -> tuple[CueMention, ...]:
    """The sentence's cues of these kinds."""
    return tuple(each for each in sentence.mentions if isinstance(each, CueMention) and each.cue in cues)


def name_mentions(sentence: Sentence) -> tuple[NameMention, ...]:
    return tuple(each for each in sentence.mentions if isinstance(each, NameMention))
