"""Presence and absence: what the text says is not there, against what the record says is."""

import re

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.claims import Claim
from grounding.mentions import Cue, CueMention, NameMention
from grounding.scan import cue, name_mentions
from grounding.vocabulary import NEGATES_BEFORE

_SCOPE_WORDS = 8
_OF_THE_RECORD = re.compile(r"\b(record|records|timeline|on file)\b", re.IGNORECASE)


def check(context: Context) -> list[Claim]:
    """A claim per negated name and per name stated although the record says it is absent; and per idle negation."""
    scopes = {each: _negated_by(each, context) for each in cue(context.sentence, Cue.NEGATION)}
    under = {name for names in scopes.values() for name in names}
    claims = [_negated(name, context) for name in sorted(under, key=lambda each: each.start)]
    claims += [
        unsupported(each, "negation", "what this denies is not a concept of the record")
        for each, names in scopes.items()
        if not names
    ]
    affirmed = (name for name in name_mentions(context.sentence) if name not in under and not _says_no(name))
    return claims + [claim for name in affirmed for claim in _affirmed(name, context)]


def negated_names(context: Context) -> frozenset[NameMention]:
    """Names inside the scope of a negation."""
    cues = cue(context.sentence, Cue.NEGATION)
    return frozenset(name for each in cues for name in _negated_by(each, context))


def _negated(name: NameMention, context: Context) -> Claim:
    cited = context.cited.matching(name.keys)
    present = [fact for fact in cited if not _is_absent(fact)]
    if cited:
        if present:
            return contradicted(name, "negation", "the record states that it is there", present)
        return supported(name, "negation", cited)
    recorded = [fact for key in name.keys for fact in context.cited.sources.with_key(key) if not _is_absent(fact)]
    if recorded:
        return contradicted(name, "negation", "the record has an entry for it", recorded)
    if _OF_THE_RECORD.search(context.words):
        return supported(name, "absence", reason="no entry of the record has this concept")
    return unsupported(name, "negation", "no source says that it is absent")


def _affirmed(name: NameMention, context: Context) -> list[Claim]:
    cited = context.cited.matching(name.keys)
    if cited and all(_is_absent(fact) for fact in cited):
        return [contradicted(name, "negation", "the record states that it is absent", cited)]
    return []


def _negated_by(negation: CueMention, context: Context) -> list[NameMention]:
    names = name_mentions(context.sentence)
    if negation.text.lower() in NEGATES_BEFORE:
        behind = [name for name in names if name.end <= negation.start]
        if behind and _words_between(context, behind[-1].end, negation.start) <= 2:
            return behind[-1:]
    stops = [each.start for each in cue(context.sentence, Cue.SCOPE_END) if each.start > negation.end]
    limit = min(stops, default=context.sentence.span.end)
    return [
        name
        for name in names
        if negation.end <= name.start < limit and _words_between(context, negation.end, name.start) <= _SCOPE_WORDS
    ]


def _words_between(context: Context, start: int, end: int) -> int:
    return len(context.text[start:end].split())


def _is_absent(fact: ClinicalFact) -> bool:
    return facts.is_absent(fact)


def _says_no(name: NameMention) -> bool:
    """A concept that is a denial by its own name: `No known allergies`."""
    return name.text.lower().startswith(("no ", "not ", "absence "))
