"""Parts that several kinds of statement share: days, states, doses and comments as far as the fact states them."""

from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_ENCOUNTER,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_KIND_RESULT,
    ClinicalFact,
)

from grounding import facts
from grounding.sources import Sources
from grounding.statements import Comments, Day, Dose, Part, Severity, StatedDay, Words

# How is told when a fact without a start was stated.
_UNSTATED: dict[int, tuple[str, str]] = {
    FACT_KIND_RESULT: ("reported on ", "time not stated"),
    FACT_KIND_MEDICATION: ("ordered on ", "start not stated"),
    **dict.fromkeys((FACT_KIND_PROBLEM, FACT_KIND_ALLERGY, FACT_KIND_ENCOUNTER), ("recorded on ", "start not stated")),
}


def on(fact: ClinicalFact) -> tuple[Part, ...]:
    """` on 2026-10-05`, the day it begins to hold; ` (reported on 2026-10-05, time not stated)` where nobody said."""
    return (Words(" on "), Day(fact.fact_id)) if facts.starts_on(fact) else in_brackets(fact)


def in_brackets(fact: ClinicalFact, more: str = "") -> tuple[Part, ...]:
    """` (2026-10-05)`; ` (recorded on 2026-10-05, start not stated)` where nobody stated a start."""
    if facts.starts_on(fact):
        return (Words(" ("), Day(fact.fact_id), Words(f"{more})"))
    lead, unstated = _UNSTATED.get(fact.kind, ("recorded on ", "time not stated"))
    stated = (Words(lead), StatedDay(fact.fact_id), Words(", ")) if fact.HasField("stated_at") else ()
    return (Words(" ("), *stated, Words(f"{unstated}{more})"))


def since(fact: ClinicalFact) -> tuple[Part, ...]:
    """` since 2026-10-05`; `, recorded on 2026-10-05, start not stated` where nobody stated a start."""
    if facts.starts_on(fact):
        return (Words(" since "), Day(fact.fact_id))
    stated = (Words(", recorded on "), StatedDay(fact.fact_id)) if fact.HasField("stated_at") else ()
    return (*stated, Words(", start not stated"))


def ordered(fact: ClinicalFact) -> tuple[Part, ...]:
    """` on 2026-10-05`, the day of an order: its start, else when it was stated."""
    if facts.starts_on(fact):
        return (Words(" on "), Day(fact.fact_id))
    return (Words(" on "), StatedDay(fact.fact_id)) if fact.HasField("stated_at") else ()


def ended_on(fact: ClinicalFact) -> tuple[Part, ...]:
    return (Words(" on "), Day(fact.fact_id, end=True)) if facts.ends_on(fact) else ()


def medication_state(sources: Sources, fact: ClinicalFact, joint: str = ", ") -> tuple[Part, ...]:
    """`ordered on 2026-10-05, not renewed since`, `active since ... until ...`, `on hold since ...`, `stopped on ...`.

    `joint`: what stands before `not renewed since`.
    """
    if facts.is_on_hold(fact):
        return (Words("on hold"), *((Words(" since "), Day(fact.fact_id, end=True)) if facts.ends_on(fact) else ()))
    if facts.has_ended(fact, sources.today):
        return (Words("stopped"), *ended_on(fact))
    start = facts.starts_on(fact)
    if start and start > sources.today:
        return (Words("ordered, from "), Day(fact.fact_id))
    if facts.is_open_order(fact):
        renewed = fact.fact_id in sources.renewed
        return (Words("ordered"), *ordered(fact), *(() if renewed else (Words(f"{joint}not renewed since"),)))
    until: tuple[Part, ...] = (Words(" until "), Day(fact.fact_id, end=True)) if facts.ends_on(fact) else ()
    if facts.is_order(fact) or start is None:
        return (Words("ordered"), *ordered(fact), *until)
    return (Words("active since "), Day(fact.fact_id), *until)


def dose(fact: ClinicalFact) -> tuple[Part, ...]:
    return (Words(" "), Dose(fact.fact_id)) if facts.printed_dose(fact) else ()


def severity(fact: ClinicalFact) -> tuple[Part, ...]:
    return (Words(", "), Severity(fact.fact_id)) if facts.severity(fact) else ()


def comment(fact: ClinicalFact) -> tuple[Part, ...]:
    """` (comment of the laboratory: “haemolysed”)`: what a value is worth stands beside it."""
    if not any(facts.comments(fact)):
        return ()
    return (Words(" (comment of the laboratory: "), Comments(fact.fact_id), Words(")"))
