"""Kidney function: where it stands, how it moved over encounters, and how fast it falls."""

from grounding import Sources, Statement
from grounding.calculators import egfr, egfr_slope, gfr_category
from grounding.formula import CalculationError
from grounding.kinds import calculation, trend
from grounding.statements import Computed, Day, Method, Part, Words
from knowledge.kidney import computed, ids, inputs
from longitude.reasoning.v1 import assessment_pb2 as wire
from terminology.loinc import CREATININE, EGFR

from consult.rule import Rule
from consult.rules import parts

# KDIGO calls a change sustained when it lasts at least three months.
_SUSTAINED_DAYS = 90


def kidney_function_trend(sources: Sources) -> list[Statement]:
    """EGFR and creatinine over encounters, and what the newest creatinine means by CKD-EPI 2021.

    Source: KDIGO 2024 CKD guideline, practice point 2.1.1 (assess GFR over time); Inker LA, N Engl J Med 2021;385:1737.
    """
    found = [
        trend.statement(sources, ids(series))
        for series in (trend.in_one_unit(sources.series(code)) for code in (EGFR, CREATININE))
        if len(series) > 1
    ]
    if computed(sources):
        found.append(calculation.statement(egfr.NAME, inputs(sources)))
        found.append(calculation.statement(gfr_category.NAME, inputs(sources)))
    return found


def rapid_progression(sources: Sources) -> list[Statement]:
    """A sustained decline of more than 5 mL/min/1.73 m2 per year over at least three results and three months.

    Source: KDIGO 2024 CKD guideline, Kidney Int 2024;105(4S), section 2.1 (rapid progression).
    """
    used = ids(sources.series(EGFR)) if len(sources.series(EGFR)) > 2 else inputs(sources)
    given = [sources.fact(fact_id) for fact_id in used]
    try:
        slope = egfr_slope.compute(given)
    except CalculationError:
        return []
    dated = sorted((fact for fact in given if fact.HasField("quantity")), key=lambda fact: fact.valid_from.seconds)
    span = dated[-1].valid_from.seconds - dated[0].valid_from.seconds
    if len(dated) < 3 or span < _SUSTAINED_DAYS * 86400 or float(slope.value) >= egfr_slope.RAPID_PROGRESSION:
        return []
    text: tuple[Part, ...] = (
        *(Words("eGFR changed from "), Day(dated[0].fact_id), Words(" to "), Day(dated[-1].fact_id)),
        *(
            Words(" on average by "),
            Computed(egfr_slope.NAME, used),
            Words(": rapid progression ("),
            Method("KDIGO 2024"),
        ),
        Words(")"),
    )
    guidance = parts.quoted(sources, ("kdigo-2024-progression",), ("rapid", "progression", "year"))
    return [parts.statement(wire.STATEMENT_KIND_ALERT, *text, *guidance)]


RULES = (
    Rule(
        rapid_progression,
        place=80,
        cites={
            "kdigo-2024-progression": "rapid progression decline of eGFR per year KDIGO",
        },
    ),
    Rule(kidney_function_trend, place=110),
)
