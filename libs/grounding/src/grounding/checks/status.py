"""Now or not any more: active, stopped, ordered, against the fact's own status and interval."""

from longitude.ingestion.v1.clinical_fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_ENCOUNTER,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    ClinicalFact,
)

from grounding import binding, facts
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.claims import Claim
from grounding.mentions import Cue, CueMention, NameMention
from grounding.scan import cue

_LASTING = frozenset({FACT_KIND_MEDICATION, FACT_KIND_PROBLEM, FACT_KIND_ALLERGY, FACT_KIND_ENCOUNTER})
_TAKEN = frozenset({FACT_KIND_MEDICATION})
_TAKING = frozenset({"takes", "taking"})


def check(context: Context) -> list[Claim]:
    """One claim per word of status, about the nearest thing that lasts."""
    return [_check_one(each, context) for each in cue(context.sentence, Cue.ACTIVE, Cue.ENDED, Cue.ORDERED)]


def _check_one(mention: CueMention, context: Context) -> Claim:
    kinds = _TAKEN if mention.text.lower() in _TAKING else _LASTING

    def lasts(name: NameMention) -> bool:
        return any(fact.kind in kinds for fact in context.cited.matching(name.keys))

    name = binding.nearest_name(context.sentence, mention, lasts) or context.carried
    about = [fact for fact in context.cited.matching(name.keys) if fact.kind in kinds] if name else []
    if not about:
        return unsupported(mention, "status", "it is not clear which entry of the record this is about")
    agreeing = [fact for fact in about if _agrees(fact, mention.cue, context)]
    if agreeing:
        return supported(mention, "status", agreeing)
    return contradicted(mention, "status", f"the record says {_status(about[-1], context)}", about)


def _agrees(fact: ClinicalFact, wanted: Cue, context: Context) -> bool:
    ended = facts.has_ended(fact, context.cited.sources.today)
    match wanted:
        case Cue.ENDED:
            return ended
        case Cue.ORDERED:
            return fact.kind == FACT_KIND_MEDICATION and not ended
        case _:
            return not ended and not facts.is_order(fact)


def _status(fact: ClinicalFact, context: Context) -> str:
    end = facts.ends_on(fact)
    if facts.has_ended(fact, context.cited.sources.today):
        return f"it ended on {end.isoformat()}" if end else "it has ended"
    return "it is ordered" if facts.is_order(fact) else "it is active"
