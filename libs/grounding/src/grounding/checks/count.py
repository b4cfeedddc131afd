"""Counts of things in the record: `3 encounters`, `5 results`."""

import re

from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ENCOUNTER,
    FACT_KIND_IMAGING_FINDING,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_KIND_RESULT,
    FactKind,
)

from grounding.binding import BoundNumber
from grounding.checks.context import Context, contradicted, supported
from grounding.claims import Claim

_COUNTED: dict[str, "FactKind.ValueType"] = {
    "encounter": FACT_KIND_ENCOUNTER,
    "visit": FACT_KIND_ENCOUNTER,
    "result": FACT_KIND_RESULT,
    "value": FACT_KIND_RESULT,
    "measurement": FACT_KIND_RESULT,
    "medication": FACT_KIND_MEDICATION,
    "medicine": FACT_KIND_MEDICATION,
    "problem": FACT_KIND_PROBLEM,
    "finding": FACT_KIND_IMAGING_FINDING,
}
_NOUN = re.compile(r"\s+(" + "|".join(_COUNTED) + r")s?\b", re.IGNORECASE)


def counted(bound: BoundNumber, context: Context) -> "FactKind.ValueType | None":
    """The kind of fact that the number counts, if it counts."""
    match = _NOUN.match(context.text, bound.number.end)
    return _COUNTED[match.group(1).lower()] if match and not bound.number.unit else None


def check_one(bound: BoundNumber, kind: "FactKind.ValueType", context: Context) -> Claim:
    """Against the number of cited facts of the kind, of the concept named if there is one."""
    found = [fact for fact in context.cited.facts if fact.kind == kind]
    named = [fact for fact in context.cited.matching(bound.name.keys) if fact.kind == kind] if bound.name else []
    if bound.number.value in {len(named) or len(found), len(found)}:
        return supported(bound.number, "count", named or found)
    return contradicted(bound.number, "count", f"the cited sources hold {len(named or found)}", named or found)
