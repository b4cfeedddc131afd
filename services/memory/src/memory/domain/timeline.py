"""What held, and what we knew, when: supersession and as-of reads over statements that are never changed.

The rule of supersession. Statements in one slot of one source identifier are put in the source's own order:

1. `stated_at`, the time of the message (MSH-7; for documents and films when they were made), but never later than the
   moment we received it, so that a sender's clock that runs ahead cannot pin a slot;
2. at the same stated time, what the status says: ordered or preliminary before active or final, those before a
   correction, a correction before a withdrawal;
3. then the order in which the message was received and the place in it; the fact id settles the rest.

The last statement stands; all earlier ones are superseded by their successor. So an old message that arrives late
never replaces a newer one, and the final timeline does not depend on the order of arrival as long as the source's
times differ. A last statement ENTERED_IN_ERROR withdraws the slot: nothing stands.

Two rules of valid time. A medication order that goes on under the same number with another dose continues, it does not
correct: the earlier statement still answers for the time before its successor's `valid_from`. And a statement that does
not say since when it holds (a stop seldom repeats the start) holds since its predecessors said.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from consult import times
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_MEDICATION,
    FACT_STATUS_CORRECTED,
    FACT_STATUS_ENTERED_IN_ERROR,
    FACT_STATUS_ORDERED,
    FACT_STATUS_PRELIMINARY,
    ClinicalFact,
)

_RANK = {
    FACT_STATUS_ORDERED: 0,
    FACT_STATUS_PRELIMINARY: 0,
    FACT_STATUS_CORRECTED: 2,
    FACT_STATUS_ENTERED_IN_ERROR: 3,
}
_ORDINARY_RANK = 1
_REPLACES_HISTORY = (FACT_STATUS_CORRECTED, FACT_STATUS_ENTERED_IN_ERROR)


@dataclass(frozen=True)
class StatedFact:
    """One fact as its source stated it, and when the record learned it."""

    fact: ClinicalFact
    stated_at: datetime
    received_at: datetime
    ordinal: int
    recorded_at: datetime

    @cached_property
    def interval(self) -> tuple[datetime | None, datetime | None]:
        """[valid_from, valid_to) as stated."""
        return times.interval(self.fact)

    @property
    def order(self) -> tuple[datetime, int, datetime, int, str]:
        """Position among the statements of one slot."""
        rank = _RANK.get(self.fact.status, _ORDINARY_RANK)
        return (self.stated_at, rank, self.received_at, self.ordinal, self.fact.fact_id)

    @property
    def slot(self) -> tuple[str, str, int, str]:
        """What the statement is about; a fact without a slot is about itself alone."""
        fact = self.fact
        return (fact.patient.authority, fact.patient.id, fact.kind, fact.slot or f"fact:{fact.fact_id}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A statement with what became of it, as far as the record knew."""

    statement: StatedFact
    successor: StatedFact | None = None
    # When the record first knew a later statement of the slot.
    superseded_at: datetime | None = None
    # The start that the statement itself or, if it has none, the nearest predecessor names.
    start: datetime | None = None

    @property
    def fact(self) -> ClinicalFact:
        return self.statement.fact

    @property
    def stands(self) -> bool:
        """Neither superseded nor withdrawn."""
        return self.successor is None and self.fact.status != FACT_STATUS_ENTERED_IN_ERROR

    def holds_at(self, moment: datetime) -> bool:
        """Whether the statement answers for this moment."""
        _, end = self.statement.interval
        if self.successor is not None:
            continued = self._continued_from()
            return continued is not None and times.contains(self.start, _earlier(end, continued), moment)
        return self.stands and times.contains(self.start, end, moment)

    def _continued_from(self) -> datetime | None:
        """From when on a medication's successor speaks instead; None when it replaces the whole statement."""
        if self.successor is None or self.fact.kind != FACT_KIND_MEDICATION:
            return None
        if self.fact.status in _REPLACES_HISTORY or self.successor.fact.status in _REPLACES_HISTORY:
            return None
        following, _ = self.successor.interval
        return following if following is not None and (self.start is None or following > self.start) else None


def replay(statements: Iterable[StatedFact], known_at: datetime | None = None) -> list[Entry]:
    """Every statement known by `known_at` with its fate, ordered by valid_from, then recorded_at, then fact id."""
    slots: dict[tuple[str, str, int, str], list[StatedFact]] = defaultdict(list)
    for statement in statements:
        if known_at is None or statement.recorded_at <= known_at:
            slots[statement.slot].append(statement)
    entries = [entry for slot in slots.values() for entry in _fates(sorted(slot, key=lambda s: s.order))]
    return sorted(entries, key=_reading_order)


def standing(entries: Iterable[Entry]) -> list[Entry]:
    """The current statements: neither superseded nor withdrawn."""
    return [entry for entry in entries if entry.stands]


def holding(entries: Iterable[Entry], moment: datetime) -> list[Entry]:
    """The statements that answer for a moment of valid time."""
    return [entry for entry in entries if entry.holds_at(moment)]


def _fates(ordered: Sequence[StatedFact]) -> list[Entry]:
    starts = _starts(ordered)
    entries = [Entry(ordered[-1], start=starts[-1])]
    first_known = ordered[-1].recorded_at
    for (earlier, successor), start in reversed(list(zip(pairwise(ordered), starts, strict=False))):
        entries.append(Entry(earlier, successor, max(first_known, earlier.recorded_at), start))
        first_known = min(first_known, earlier.recorded_at)
    return entries


def _starts(ordered: Sequence[StatedFact]) -> list[datetime | None]:
    """Since when each statement holds, as far as it or a predecessor says."""
    starts: list[datetime | None] = []
    for statement in ordered:
        own, _ = statement.interval
        starts.append(own or (starts[-1] if starts else None))
    return starts


def _earlier(end: datetime | None, limit: datetime) -> datetime:
    return limit if end is None else min(end, limit)


def _reading_order(entry: Entry) -> tuple[datetime, datetime, str]:
    start, _ = entry.statement.interval
    return (start or times.EARLIEST, entry.statement.recorded_at, entry.fact.fact_id)
