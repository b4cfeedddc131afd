"""Now or not any more: active, stopped, ordered, against the fact's own status and interval."""

import re
from collections.abc import Iterable, Iterator

from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_ENCOUNTER,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    ClinicalFact,
    FactKind,
)

from grounding import binding, facts
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.checks.kind import said_of
from grounding.checks.negation import negated_names
from grounding.claims import Claim
from grounding.mentions import (
    Cue,
    CueMention,
    DateMention,
    LabelMention,
    Mention,
    NameMention,
    NumberMention,
    WordMention,
)
from grounding.scan import cue, name_mentions

_STATES = (Cue.ACTIVE, Cue.ENDED, Cue.ORDERED, Cue.ON_HOLD, Cue.UNRENEWED)
_LASTING = frozenset({FACT_KIND_MEDICATION, FACT_KIND_PROBLEM, FACT_KIND_ALLERGY, FACT_KIND_ENCOUNTER})
_ENDING = frozenset({FACT_KIND_MEDICATION, FACT_KIND_PROBLEM})
# Words of what is over, or of what is looked at whenever it was.
_PAST = re.compile(
    r"\b(?:was|were|had|been|given|history|record|past|previous(?:ly)?|earlier|ago|after|once)\b", re.IGNORECASE
)
_TAKEN = frozenset({FACT_KIND_MEDICATION})
_JOINT = re.compile(r"[\s,/()]*(?:and|or|plus|&|as well as)?[\s,/()]*")
_AND = re.compile(r"\s*(?:,|/|&|and|or|plus)\s*(?:the )?")
_TAKING = frozenset({"takes", "taking"})


def check(context: Context) -> list[Claim]:
    """One claim per word of status, about the nearest thing that lasts."""
    cues = cue(context.sentence, *_STATES)
    if not cues and not _PAST.search(context.words):
        return list(_of_bare_names(context))
    return [claim for each in cues for claim in _check_all(each, context)]


def _of_bare_names(context: Context) -> Iterator[Claim]:
    """A drug or problem without a word or a day of when reads as a present one, which an ended one does not support."""
    if any(isinstance(each, DateMention) for each in context.sentence.mentions):
        return
    negated = negated_names(context)
    for name in (each for each in name_mentions(context.sentence) if each not in negated):
        found = context.cited.matching(name.keys)
        if found and all(fact.kind in _ENDING and _has_ended(fact, context) for fact in found):
            yield unsupported(name, "status", f"the record says {_status(found[-1], context)}")


def _check_all(mention: CueMention, context: Context) -> list[Claim]:
    """About the nearest name, and about those that are listed with it."""
    kinds = _TAKEN if mention.text.lower() in _TAKING else _LASTING

    def lasts(name: NameMention) -> bool:
        return any(fact.kind in kinds for fact in context.cited.matching(name.keys))

    name = binding.nearest_name(context.sentence, mention, lasts) or context.carried
    named: list[NameMention | None] = [name]
    if name:
        named = [*_listed(name, filter(lasts, name_mentions(context.sentence)), context)] or named
    claims = [_check_one(mention, each, kinds, context) for each in named]
    if named[0] and _is_listed_with_a_word(named[0], context):
        claims.append(unsupported(mention, "status", "it is also said of something that the record does not name so"))
    return claims


def _is_listed_with_a_word(name: NameMention, context: Context) -> bool:
    """`Hypertension and acute bronchitis`, where the record has no entry that is called hypertension."""
    words = (each for each in context.sentence.mentions if isinstance(each, WordMention) and each.end <= name.start)
    return any(_AND.fullmatch(_between(word, name, context)) for word in words)


def _listed(name: NameMention, names: Iterable[NameMention], context: Context) -> list[NameMention]:
    """The list that the name is in: names with nothing but joints, doses, days and how often between them."""
    groups: list[list[NameMention]] = []
    for each in names:
        if groups and _JOINT.fullmatch(_between(groups[-1][-1], each, context)):
            groups[-1].append(each)
        else:
            groups.append([each])
    return next((group for group in groups if name in group), [])


def _between(one: Mention, other: Mention, context: Context) -> str:
    """The text between two mentions without numbers, days and categories."""
    text, at = "", one.end
    for each in context.sentence.mentions:
        if (
            isinstance(each, NumberMention | LabelMention | DateMention)
            and one.end <= each.start
            and each.end <= other.start
        ):
            text, at = text + context.text[at : each.start], each.end
    return text + context.text[at : other.start]


def _check_one(
    mention: CueMention, name: NameMention | None, kinds: frozenset["FactKind.ValueType"], context: Context
) -> Claim:
    meant = kinds & _meant(name, context) if name else kinds
    about = [fact for fact in context.cited.matching(name.keys) if fact.kind in meant] if name else []
    if not about:
        return unsupported(mention, "status", "it is not clear which entry of the record this is about")
    agreeing = [fact for fact in about if _agrees(fact, mention.cue, context) and _is_meant(fact, mention, context)]
    if agreeing:
        return supported(mention, "status", agreeing)
    return contradicted(mention, "status", f"the record says {_status(about[-1], context)}", about)


def _meant(name: NameMention, context: Context) -> frozenset["FactKind.ValueType"]:
    """What the text says that the name is; a drug of which it says nothing is one that is taken."""
    said = said_of(name, context)
    if said is not None:
        return frozenset({said})
    return _TAKEN if name.is_drug else _LASTING


def _agrees(fact: ClinicalFact, wanted: Cue, context: Context) -> bool:
    ended = _has_ended(fact, context)
    match wanted:
        case Cue.ENDED:
            return ended and not facts.is_on_hold(fact)
        case Cue.ORDERED:
            return fact.kind == FACT_KIND_MEDICATION and not ended
        case Cue.ON_HOLD:
            return facts.is_on_hold(fact)
        case Cue.UNRENEWED:
            unrenewed = fact.fact_id not in context.cited.sources.renewed
            return unrenewed and not ended and fact.kind == FACT_KIND_MEDICATION
        case _:
            return not ended and not facts.is_order(fact)


def _is_meant(fact: ClinicalFact, mention: CueMention, context: Context) -> bool:
    """`ordered in 2019, not renewed since` speaks of the order of that day, and not of a later one."""
    days = [each for each in context.sentence.mentions if isinstance(each, DateMention)]
    if mention.cue is not Cue.UNRENEWED or not days:
        return True
    told = next((each for each in reversed(days) if each.end <= mention.start), days[0])
    known = (facts.starts_on(fact), facts.reported_on(fact), context.cited.sources.stated_on(fact))
    return any(day is not None and told.includes(day) for day in known)


def _has_ended(fact: ClinicalFact, context: Context) -> bool:
    return facts.has_ended(fact, context.cited.sources.today)


def _status(fact: ClinicalFact, context: Context) -> str:
    end = facts.ends_on(fact)
    if facts.is_on_hold(fact):
        return "it is on hold"
    if _has_ended(fact, context):
        return f"it ended on {end.isoformat()}" if end else "it has ended"
    return "it is ordered" if facts.is_order(fact) or facts.is_open_order(fact) else "it is active"
