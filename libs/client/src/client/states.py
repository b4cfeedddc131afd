"""Where a statement stands, in words: what its source stated, and nothing that nobody did.

An order of which nobody stated an end is not told as active: that it was given is known, and not that it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact, FactKind, FactStatus

# What the record notes of an order that is neither carried out nor discontinued.
_ON_HOLD = "on hold"
_EARLIEST = datetime.min.replace(tzinfo=UTC)
# How is told of a fact without a start when it was stated; of other kinds the day says it.
_UNSTATED = {
    FactKind.FACT_KIND_PROBLEM: ("recorded", "start not stated"),
    FactKind.FACT_KIND_ALLERGY: ("recorded", "start not stated"),
    FactKind.FACT_KIND_RESULT: ("reported", "time not stated"),
}


def states(record: Iterable[RecordedFact], *, complete: bool = True) -> dict[str, str]:
    """`fact_id` -> the state in words. `complete`: the record shows all there is now, so that what is not in it is not
    there: without a later order of the same drug an order is "not renewed since".
    """
    recorded = list(record)
    newest: dict[tuple[str, str], datetime] = {}
    for each in recorded:
        if each.fact.kind == FactKind.FACT_KIND_MEDICATION:
            newest[_drug(each.fact)] = max(newest.get(_drug(each.fact), _EARLIEST), known_since(each.fact))

    def latest(fact: ClinicalFact) -> bool:
        return complete and known_since(fact) >= newest[_drug(fact)]

    return {each.fact.fact_id: _state(each.fact, latest) + _replaced(each) for each in recorded}


def known_since(fact: ClinicalFact) -> datetime:
    """Its start, or where nobody stated one, when it was stated; the first of days where neither is known."""
    name = next((each for each in ("valid_from", "stated_at") if fact.HasField(each)), None)
    return getattr(fact, name).ToDatetime(tzinfo=UTC) if name else _EARLIEST


def organism(fact: ClinicalFact) -> str:
    """What a susceptibility is about; empty for other facts."""
    return fact.about.display or fact.about.code


def _state(fact: ClinicalFact, latest: Callable[[ClinicalFact], bool]) -> str:
    if _is_open_order(fact):
        ordered = f"ordered on {_day(fact)}" if known_since(fact) != _EARLIEST else "ordered"
        return f"{ordered}, not renewed since" if latest(fact) else ordered
    if _is_on_hold(fact):
        return _ON_HOLD
    if fact.status == FactStatus.FACT_STATUS_UNSPECIFIED:
        return "state not stated"
    status = FactStatus.Name(fact.status).removeprefix("FACT_STATUS_").lower()
    if fact.HasField("valid_from") or fact.kind not in _UNSTATED:
        return status
    verb, missing = _UNSTATED[fact.kind]
    stated = f", {verb} on {_day(fact)}" if fact.HasField("stated_at") else ""
    return f"{status}{stated}, {missing}"


def _day(fact: ClinicalFact) -> str:
    return f"{known_since(fact):%Y-%m-%d}"


def _replaced(recorded: RecordedFact) -> str:
    return " (replaced)" if recorded.HasField("superseded_at") else ""


def _drug(fact: ClinicalFact) -> tuple[str, str]:
    return fact.code.system, fact.code.code or fact.code.display.casefold()


def _is_open_order(fact: ClinicalFact) -> bool:
    in_force = fact.kind == FactKind.FACT_KIND_MEDICATION and fact.status == FactStatus.FACT_STATUS_ACTIVE
    return in_force and not fact.HasField("valid_to")


def _is_on_hold(fact: ClinicalFact) -> bool:
    ended = fact.kind == FactKind.FACT_KIND_MEDICATION and fact.status == FactStatus.FACT_STATUS_ENDED
    return ended and fact.note.strip().lower() == _ON_HOLD
