"""Susceptible, intermediate or resistant: against the interpretation of the drug's own susceptibility.

Of which organism it is, is decided before (`Cited.of_sentence`): what a check is given is of one.
"""

from grounding import binding, facts, susceptibility
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.claims import Claim
from grounding.mentions import NameMention, WordMention


def check(context: Context) -> list[Claim]:
    """A claim per word of interpretation whose nearest name is of a susceptibility."""

    def tested(name: NameMention) -> bool:
        return any(facts.organism(fact) for fact in context.cited.matching(name.keys))

    said = (each for each in context.sentence.mentions if isinstance(each, WordMention))
    words = [each for each in said if susceptibility.read(each.text)]
    named = ((each, binding.nearest_name(context.sentence, each, tested)) for each in words)
    return [_check_one(each, name, context) for each, name in named if name]


def _check_one(mention: WordMention, name: NameMention, context: Context) -> Claim:
    known = [fact for fact in context.cited.matching(name.keys) if facts.organism(fact)]
    agreeing = [fact for fact in known if susceptibility.interpretation(fact) == susceptibility.read(mention.text)]
    if agreeing:
        return supported(mention, "susceptibility", agreeing)
    other = [fact for fact in known if susceptibility.interpretation(fact)]
    if other:
        reason = f"the record has {susceptibility.interpretation(other[-1])}"
        return contradicted(mention, "susceptibility", reason, other)
    return unsupported(mention, "susceptibility", "the record has no interpretation of this susceptibility")
