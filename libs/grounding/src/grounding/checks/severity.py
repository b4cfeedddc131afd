"""How severe an allergy is, against what its source stated of it."""

from longitude.record.v1.fact_pb2 import FACT_KIND_ALLERGY, ClinicalFact

from grounding import binding, facts
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.claims import Claim
from grounding.mentions import NameMention, WordMention
from grounding.vocabulary import words

# HL7 v2.5.1 table 0128.
_SEVERITIES = frozenset({"severe", "moderate", "mild"})


def check(context: Context) -> list[Claim]:
    """A claim per word of severity whose nearest name is an allergy."""

    def is_allergy(name: NameMention) -> bool:
        return bool(_allergies(name, context))

    said = [each for each in context.sentence.mentions if isinstance(each, WordMention)]
    found = ((each, binding.nearest_name(context.sentence, each)) for each in said if each.text.lower() in _SEVERITIES)
    return [_check_one(each, _allergies(name, context)) for each, name in found if name and is_allergy(name)]


def _allergies(name: NameMention, context: Context) -> list[ClinicalFact]:
    return [fact for fact in context.cited.matching(name.keys) if fact.kind == FACT_KIND_ALLERGY]


def _check_one(mention: WordMention, allergies: list[ClinicalFact]) -> Claim:
    agreeing = [fact for fact in allergies if words(mention.text) <= words(facts.searchable(fact))]
    if agreeing:
        return supported(mention, "severity", agreeing)
    stated = [fact for fact in allergies if facts.severity(fact)]
    if stated:
        return contradicted(mention, "severity", f"the record says {facts.severity(stated[-1])}", stated)
    return unsupported(mention, "severity", "the record does not say how severe it is")
