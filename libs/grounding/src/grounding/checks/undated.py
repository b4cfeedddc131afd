"""That nobody stated a start or a time: against the fact, which must have none."""

from grounding import binding, facts
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.claims import Claim
from grounding.mentions import Cue, CueMention
from grounding.scan import cue


def check(context: Context) -> list[Claim]:
    return [_check_one(each, context) for each in cue(context.sentence, Cue.UNDATED)]


def _check_one(mention: CueMention, context: Context) -> Claim:
    name = binding.nearest_name(context.sentence, mention) or context.carried
    found = context.cited.matching(name.keys) if name else ()
    without = [fact for fact in found if facts.starts_on(fact) is None]
    if without:
        return supported(mention, "date", without)
    if found:
        return contradicted(mention, "date", "the record states when", found)
    return unsupported(mention, "date", "it is not clear which entry of the record this is about")
