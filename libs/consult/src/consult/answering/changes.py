"""What is new since a day: what began, was done, was given or stopped behind it, and values beyond all before."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from grounding import Sources, facts
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from consult.answering import wording
from consult.answering.finding import NO_NEWS, Group, is_slight
from consult.answering.wording import Ways

# What is told first, and how many of a kind are told before the next kinds have their turn.
_PLACES: dict[int, tuple[int, int]] = {
    pb.FACT_KIND_PROBLEM: (0, 3),
    pb.FACT_KIND_ALLERGY: (0, 3),
    pb.FACT_KIND_MEDICATION: (1, 2),
    pb.FACT_KIND_PROCEDURE: (2, 3),
    pb.FACT_KIND_IMMUNIZATION: (3, 1),
    pb.FACT_KIND_RESULT: (4, 2),
}
_OTHER = (5, 1)
# Values before the day, so that one beyond them all says something.
_SEVERAL = 3


@dataclass(frozen=True, slots=True)
class _News:
    """New entries of a group; `weight`: the higher, the earlier it is told among those of its kind."""

    kind: int
    entries: Sequence[ClinicalFact]
    slight: bool
    weight: float

    @property
    def order(self) -> tuple[bool, float, float]:
        return self.slight, -self.weight, -facts.in_time(self.entries[-1])[0]


def since(day: date, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """What of each concept is new, what was never there before and the newest first; the kinds in turn."""
    news = sorted(filter(None, (_news(group, day, sources) for group in groups)), key=lambda each: each.order)
    told = Counter[int]()
    turns: list[tuple[bool, int, int, _News]] = []
    for each in news:
        place, at_once = _PLACES.get(each.kind, _OTHER)
        turns.append((each.slight, told[each.kind] // at_once, place, each))
        told[each.kind] += 1
    for *_, each in sorted(turns, key=lambda turn: turn[:3]):
        yield wording.say(each.entries, sources)


def _news(group: Group, day: date, sources: Sources) -> _News | None:
    """None where it is no news: what was there before as it is now."""
    if not group.keys.isdisjoint(NO_NEWS):
        return None
    new = [each for each in group.entries if (facts.starts_on(each) or date.min) > day]
    before = [each for each in group.entries if each not in new]
    slight = is_slight(group)
    match group.kind:
        case pb.FACT_KIND_RESULT:
            beyond = max(((_beyond(each, before), each) for each in new), key=lambda pair: pair[0], default=None)
            return _News(group.kind, [beyond[1]], slight, float(beyond[0])) if beyond and beyond[0] > 0 else None
        case pb.FACT_KIND_MEDICATION:
            is_stopped = bool(before) and not group.goes_on(sources.today) and _stopped_after(group.entries, day)
            is_told = is_stopped or (bool(new) and not before)
            return _News(group.kind, new or group.entries, slight, 0.0 if before else 1.0) if is_told else None
        case pb.FACT_KIND_PROBLEM | pb.FACT_KIND_PROCEDURE:
            goes_on = group.kind == pb.FACT_KIND_PROBLEM and any(not facts.has_ended(each, day) for each in before)
            return _News(group.kind, new, slight, -float(len(before))) if new and not goes_on else None
        case _:
            return _News(group.kind, new, slight, 0.0) if new and not before else None


def _stopped_after(entries: Sequence[ClinicalFact], day: date) -> bool:
    return any((facts.ends_on(each) or date.min) > day for each in entries)


def _beyond(value: ClinicalFact, before: Sequence[ClinicalFact]) -> Decimal:
    """How far a value is higher or lower than all before, as a share of what those span."""
    numbers = [number for each in before if (number := facts.number(each.quantity)) is not None]
    number = facts.number(value.quantity)
    if number is None or len(numbers) < _SEVERAL:
        return Decimal(0)
    low, high = min(numbers), max(numbers)
    outside = max(low - number, number - high, Decimal(0))
    return outside / ((high - low) or abs(high) or Decimal(1))
