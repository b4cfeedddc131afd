"""Potassium with a drug that raises it."""

from grounding import Sources, Statement, facts
from grounding.kinds import latest
from grounding.statements import Words
from longitude.reasoning.v1 import assessment_pb2 as wire
from terminology.loinc import POTASSIUM

from consult import kept
from consult.rule import Rule
from consult.rules import parts
from consult.rules.classes import RAISE_POTASSIUM, belongs_to

# The row that says from which potassium on.
_RAISED = "organs/raised-potassium"


def hyperkalaemia_with_raas_blockade(sources: Sources) -> list[Statement]:
    """The newest potassium is at least 5.5 mmol/L while an ACE inhibitor, ARB or potassium-sparing diuretic is active
    or ordered. The laboratory's comment on it stands beside it: a haemolysed sample reads too high.

    Source: UK Kidney Association, Clinical Practice Guidelines: Treatment of Acute Hyperkalaemia in Adults, 2023
    (mild from 5.5); FDA labels of ACE inhibitors, section 5 (hyperkalaemia).
    """
    newest = sources.measured(POTASSIUM)[-1:]
    value = facts.number(newest[0].quantity) if newest else None
    row = kept.row(sources, _RAISED)
    if value is None or row is None or value < row.conditions.at_least:
        return []
    taken = [fact for fact in parts.newest_first(parts.in_use(sources)) if belongs_to(fact, *RAISE_POTASSIUM)]
    if not taken:
        return []
    drug = taken[0]
    return [
        parts.statement(
            wire.STATEMENT_KIND_ALERT,
            *(*latest.measured(newest[0]), Words(", while ")),
            *(*parts.drug_with_class(drug, RAISE_POTASSIUM), *parts.state(sources, drug)),
            *parts.quoted(sources, ("fda-acei-hyperkalaemia",), ("potassium", "hyperkal")),
            also=tuple(fact.fact_id for fact in taken if fact is not drug),
        )
    ]


RULES = (
    Rule(
        hyperkalaemia_with_raas_blockade,
        place=60,
        rows=(_RAISED,),
        cites={
            "fda-acei-hyperkalaemia": "ACE inhibitor hyperkalaemia potassium",
        },
    ),
)
