"""`make eval EVAL=knowledge`: concerns that follow the messages of stories, and how many of them there are.

Each story is told message by message, as of the day of each; a look is left out by chance, as where several messages
come together. At the end what is open is compared with a look from nothing, by family: `kept alike`, the share of
concerns that both have. Figures beside it: concerns that opened, and those that interrupt, of 100 patient days, by
urgency. Stories are seeded and invented; no figure is one of a hospital.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

from consult import Record
from consult.dangers import dangers
from consult.surveillance import Change, compare, is_open
from contracts.identifiers import format_patient
from longitude.reasoning.v1.advice_pb2 import Urgency
from longitude.reasoning.v1.concern_pb2 import Concern
from testkit.stories import Story, story

from tests.evals.chain import whole_record
from tests.results import Result

STORIES = 40
# A message that is looked at together with the next.
_LEFT_OUT = 0.3
_INTERRUPTIONS = 3
State = tuple[str, str, int, tuple[str, ...]]


def run(n: int | None, seed: int) -> Result:
    """N stories from the seed on."""
    alike: Counter[str] = Counter()
    either: Counter[str] = Counter()
    opened: Counter[str] = Counter()
    days = 0
    for number in range(seed, seed + (n or STORIES)):
        tale = story(number)
        chance = random.Random(f"looks/{number}")
        kept, events = _followed(tale, chance)
        fresh = _state(_look({}, _records(tale)[-1][1])[0])
        own = _state(kept)
        alike.update(_family(each) for each in own & fresh)
        either.update(_family(each) for each in own | fresh)
        opened += events
        days += (tale.truth.today - _began(tale)).days
    figures = {f"kept alike, {family}": alike[family] / either[family] for family in sorted(either)}
    figures |= {f"of 100 patient days, {name}": 100 * many / days for name, many in sorted(opened.items())}
    note = f"{sum(either.values())} concerns open at the end, over {days} patient days"
    return Result("knowledge", figures | {"patient_days": days}, n or STORIES, seed, note=note)


def _followed(tale: Story, chance: random.Random) -> tuple[Mapping[str, Concern], Counter[str]]:
    """The concerns at the end, and how many opened and interrupted, by urgency."""
    kept: Mapping[str, Concern] = {}
    events: Counter[str] = Counter()
    records = _records(tale)
    for place, (_, record) in enumerate(records):
        if place + 1 < len(records) and chance.random() < _LEFT_OUT:
            continue
        kept, now = _look(kept, record)
        events += now
    return kept, events


def _look(known: Mapping[str, Concern], record: Record) -> tuple[Mapping[str, Concern], Counter[str]]:
    passed = {each.text for each in known.values() if is_open(each)}
    identifiers = record.timeline.identifiers
    home = min(identifiers, key=format_patient)
    changed = compare(known.values(), dangers(record, passed), home, record.as_of, _INTERRUPTIONS)
    events: Counter[str] = Counter()
    for each in changed:
        if each.change is Change.OPENED:
            urgency = Urgency.Name(each.concern.urgency).removeprefix("URGENCY_").lower()
            events[f"opened, {urgency}"] += 1
        events["interruptive"] += each.concern.interruptive and each.change in (Change.OPENED, Change.CHANGED)
    return {**known, **{each.concern.concern_id: each.concern for each in changed}}, events


def _records(tale: Story) -> list[tuple[date, Record]]:
    """The record after each message, as of the newest day that a message was sent on; at last as of the story's."""
    return [(day, whole_record(tale.messages[: place + 1], day)) for place, day in enumerate(_days(tale))]


def _days(tale: Story) -> Iterator[date]:
    newest = date.min
    for place, message in enumerate(tale.messages):
        newest = max(
            newest, datetime.strptime(message.split(b"|")[6][:8].decode(), "%Y%m%d").replace(tzinfo=UTC).date()
        )
        yield tale.truth.today if place + 1 == len(tale.messages) else newest


def _began(tale: Story) -> date:
    return next(_days(tale))


def _state(kept: Mapping[str, Concern]) -> set[State]:
    return {(each.row, each.subject, each.urgency, tuple(each.supports)) for each in kept.values() if is_open(each)}


def _family(state: State) -> str:
    return state[0].partition("/")[0]
