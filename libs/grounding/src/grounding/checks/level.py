"""High, low, normal: against the sender's own flag and reference range."""

from decimal import Decimal, InvalidOperation

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import binding, facts
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.claims import Claim
from grounding.mentions import Cue, CueMention
from grounding.scan import cue


def check(context: Context) -> list[Claim]:
    return [_check_one(each, context) for each in cue(context.sentence, Cue.HIGH, Cue.LOW, Cue.NORMAL)]


def _check_one(mention: CueMention, context: Context) -> Claim:
    name = binding.nearest_name(context.sentence, mention) or context.carried
    found = [fact for fact in context.cited.matching(name.keys) if fact.HasField("quantity")] if name else []
    judged = [(fact, level(fact)) for fact in found]
    agreeing = [fact for fact, known in judged if known is mention.cue]
    if agreeing:
        return supported(mention, "level", agreeing)
    other = [fact for fact, known in judged if known is not None]
    if other:
        return contradicted(mention, "level", "the sender's flag or reference range says otherwise", other)
    return unsupported(mention, "level", "no cited result carries a flag or a reference range")


def level(fact: ClinicalFact) -> Cue | None:
    """By flag (HL7 table 0078), else by reference range; None where the sender gave neither."""
    flag = fact.abnormal_flag.strip().upper()
    if flag[:1] in {"H", "L", "N"}:
        return {"H": Cue.HIGH, "L": Cue.LOW, "N": Cue.NORMAL}[flag[:1]]
    value = facts.number(fact.quantity)
    low, high = _limit(fact.reference_range.low), _limit(fact.reference_range.high)
    if value is None or (low is None and high is None):
        return None
    if high is not None and value > high:
        return Cue.HIGH
    return Cue.LOW if low is not None and value < low else Cue.NORMAL


def _limit(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
