"""Corrected results: which number is the one that holds, and which is the one that it replaced."""

import re
from collections.abc import Iterator

from longitude.record.v1.fact_pb2 import FACT_STATUS_CORRECTED
from terminology.units import TIME_UNITS

from grounding.checks import candidates
from grounding.checks.context import Context, contradicted, supported
from grounding.cited import ids
from grounding.claims import Claim, Verdict
from grounding.mentions import NumberMention

# `new replaces old`, `old corrected to new`.
_NEW_FIRST = re.compile(r"\b(replaces|instead of|corrected from)\b", re.IGNORECASE)
_OLD_FIRST = re.compile(r"\b(corrected to|replaced by)\b", re.IGNORECASE)
# `Calcium corrected for albumin` is a computed value.
_SAID = re.compile(r"\b(?:corrected(?! for\b)|correction|replace[ds]|was wrong)\b", re.IGNORECASE)


def check(context: Context) -> list[Claim]:
    """A claim per number of a sentence that cites a replaced fact: it must stand on its own side of the verb. Where
    none is cited, a word of correction needs an entry that corrects.
    """
    cited = context.cited
    if all(cited.sources.is_current(fact.fact_id) for fact in cited.facts):
        return list(_of_a_correction(context))
    numbers = [each for each in context.sentence.mentions if isinstance(each, NumberMention)]
    return [claim for each in numbers if each.unit not in TIME_UNITS for claim in _check_one(each, context)]


def _of_a_correction(context: Context) -> Iterator[Claim]:
    said = _SAID.search(context.words)
    if said is None:
        return
    start, end = (context.sentence.span.start + place for place in said.span())
    correcting = [fact for fact in context.cited.facts if fact.status == FACT_STATUS_CORRECTED]
    if correcting:
        yield Claim(start, end, "correction", Verdict.SUPPORTED, "", ids(correcting))
    else:
        yield Claim(start, end, "correction", Verdict.UNSUPPORTED, "no cited entry corrects another")


def _check_one(number: NumberMention, context: Context) -> list[Claim]:
    states = {context.cited.sources.is_current(fact_id) for fact_id in _facts(number, context)}
    if not states:
        return []
    wanted = _is_said_to_hold(number, context)
    if wanted in states:
        return [supported(number, "correction")]
    reason = "this value was replaced" if wanted else "this value holds, it was not replaced"
    return [contradicted(number, "correction", reason)]


def _facts(number: NumberMention, context: Context) -> set[str]:
    """Ids of the cited facts that have this number."""
    known = (each for each in context.cited.candidates if candidates.agrees(number, each))
    return {fact_id for each in known for fact_id in each.fact_ids}


def _is_said_to_hold(number: NumberMention, context: Context) -> bool:
    """Whether the sentence presents the number as the one that holds; without a verb of correction it does."""
    start = context.sentence.span.start
    for pattern, holds_before in ((_NEW_FIRST, True), (_OLD_FIRST, False)):
        verb = pattern.search(context.words)
        if verb:
            return (number.end <= start + verb.start()) is holds_before
    return True
