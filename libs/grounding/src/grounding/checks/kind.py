"""What a name is said to be (an allergy, a drug taken, a problem) against the kinds of the entries that it may mean.

`Allergy to metformin` is not supported by a prescription of metformin, nor `takes penicillin` by an allergy to it.
"""

import re

from longitude.record.v1.fact_pb2 import FACT_KIND_ALLERGY, FACT_KIND_MEDICATION, FACT_KIND_PROBLEM, FactKind

from grounding.checks.context import Context, unsupported
from grounding.checks.negation import negated_names
from grounding.claims import Claim
from grounding.mentions import NameMention
from grounding.scan import name_mentions

_KINDS: dict["FactKind.ValueType", str] = {
    FACT_KIND_ALLERGY: "an allergy",
    FACT_KIND_MEDICATION: "a medication",
    FACT_KIND_PROBLEM: "a problem",
}
_JOINTS = r"[\s,:/]*(?:(?:and|entries|entry|known|now|of|or|recorded|the|to)\b[\s,:/]*)*$"
_REACTION = (
    r"\b(?:anaphylaxis|angioedema|hives|hypersensitivity|intolerances?|intolerant|rash|reactions?|swelling|urticaria)\b"
)
# The last such word before a name, with nothing but other names and joints between, says what the name is.
_SAID_BEFORE = (
    (FACT_KIND_ALLERGY, re.compile(r"\b(?:allergies|allergy|allergic)\b" + _JOINTS)),
    (FACT_KIND_ALLERGY, re.compile(_REACTION + r"(?:\s+\w+){0,2}?\s+(?:to|from|after|under|with)\b" + _JOINTS)),
    (FACT_KIND_MEDICATION, re.compile(r"\b(?:medications?|prescribed|receives|receiving|takes|taking)\b" + _JOINTS)),
    (FACT_KIND_PROBLEM, re.compile(r"\b(?:diagnosis|problems?)\b" + _JOINTS)),
)
# What stands before the colon of a list is said of all in it, but not of what is in brackets or behind `for`.
_LISTED = (
    (FACT_KIND_ALLERGY, re.compile(r"\b(?:allergies|allergy|allergic to)\s*:[^;:]*$")),
    (FACT_KIND_MEDICATION, re.compile(r"\b(?:medications?|medicines?|drugs?)\s*:[^;:]*$")),
)
_ASIDE = re.compile(r"\([^)]*$|\bfor\s+(?:the|her|his)?\s*$")
_ALLERGY_BEHIND = re.compile(r"\s+(?:allergies|allergy)\b", re.IGNORECASE)


def check(context: Context) -> list[Claim]:
    """One claim per name whose entries are all of another kind than the text says."""
    negated = negated_names(context)
    claims = (_check_one(name, context) for name in name_mentions(context.sentence) if name not in negated)
    return [claim for claim in claims if claim]


def _check_one(name: NameMention, context: Context) -> Claim | None:
    said = said_of(name, context)
    found = {fact.kind for fact in context.cited.matching(name.keys)}
    if said is None or not found or said in found:
        return None
    return unsupported(name, "kind", f"the record does not have it as {_KINDS[said]}")


def said_of(name: NameMention, context: Context) -> "FactKind.ValueType | None":
    """The kind that the text gives a name, if it gives one."""
    if _ALLERGY_BEHIND.match(context.text, name.end):
        return FACT_KIND_ALLERGY
    before = _without_names(context, name.start)
    said = next((kind for kind, pattern in _SAID_BEFORE if pattern.search(before)), None)
    if said is not None or _ASIDE.search(before):
        return said
    return next((kind for kind, pattern in _LISTED if pattern.search(before)), None)


def _without_names(context: Context, end: int) -> str:
    """The sentence up to `end`, lower case, with the names in it left out."""
    text, at = "", context.sentence.span.start
    for name in name_mentions(context.sentence):
        if name.end <= end:
            text, at = text + context.text[at : name.start], name.end
    return (text + context.text[at:end]).lower()
