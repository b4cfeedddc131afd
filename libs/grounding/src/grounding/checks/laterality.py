"""Left, right, bilateral: against the sides that the cited facts name."""

from grounding import facts
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.claims import Claim
from grounding.mentions import Cue, CueMention
from grounding.scan import cue, name_mentions

_SIDE = {Cue.LEFT: "left", Cue.RIGHT: "right", Cue.BILATERAL: "bilateral"}


def check(context: Context) -> list[Claim]:
    return [_check_one(each, context) for each in cue(context.sentence, *_SIDE)]


def _check_one(mention: CueMention, context: Context) -> Claim:
    side = _SIDE[mention.cue]
    keys = frozenset(key for name in name_mentions(context.sentence) for key in name.keys)
    about = context.cited.matching(keys) or context.cited.facts
    agreeing = [fact for fact in about if side in facts.sides(fact)]
    if agreeing:
        return supported(mention, "laterality", agreeing)
    other = [fact for fact in about if facts.sides(fact)]
    if other:
        recorded = ", ".join(sorted({each for fact in other for each in facts.sides(fact)}))
        return contradicted(mention, "laterality", f"the record says {recorded}", other)
    return unsupported(mention, "laterality", "no cited source names a side")
