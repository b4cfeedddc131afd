"""Questions about invented charts (`data/questions.jsonl`), by hands that knew nothing of this software.

Of each, the things that a very good colleague would show, in order, each by kind and code.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.resources import files
from itertools import zip_longest

from consult import Record, Timeline
from consult.rewards import Item
from longitude.record.v1.context_pb2 import Context
from longitude.record.v1.fact_pb2 import FactKind
from training.tasks import WEIGHTS, Task, task

from practice.charts import chart
from practice.records import RecordBuilder

# The day on which the questions are asked.
ASKED_AT = datetime(2026, 9, 20, tzinfo=UTC)
# Charts that nothing is learned from.
HELD_BACK = frozenset({700308, 700309, 700318, 700319, 700328, 700329})
# Tasks that are kept ready.
_KEPT = 256


@dataclass(frozen=True, slots=True)
class Authored:
    """A question about an invented chart; `show`: kind and code of the things that answer it, in order."""

    chart: int
    question: str
    show: tuple[str, ...]


def authored(wanted: Callable[[int], bool]) -> Iterator[Task]:
    """Of the charts that are wanted, in order; each is prepared as serving prepares it."""
    return (task_of(each) for each in written_questions() if wanted(each.chart))


def held_back() -> Iterator[Task]:
    """What is judged by, in the order of `held_back_questions`."""
    return map(task_of, held_back_questions())


def held_back_questions() -> list[Authored]:
    """A question of each chart in turn, so that the first few are about all of them."""
    own = [[each for each in written_questions() if each.chart == number] for number in sorted(HELD_BACK)]
    return [each for together in zip_longest(*own) for each in together if each]


def charts() -> list[int]:
    """Of the authored questions, in order."""
    return list(dict.fromkeys(each.chart for each in written_questions()))


@cache
def written_questions() -> tuple[Authored, ...]:
    lines = (files("practice") / "data" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = (json.loads(line) for line in lines)
    return tuple(Authored(row["chart"], row["question"], tuple(row["show"])) for row in rows)


@lru_cache(maxsize=_KEPT)
def task_of(asked: Authored) -> Task:
    """Prepared as serving prepares it, which takes tenths of a second."""
    written = _chart(asked.chart)
    items = tuple(
        Item(thing, weight, _facts_of(written, thing)) for thing, weight in zip(asked.show, WEIGHTS, strict=False)
    )
    return task(str(asked.chart), asked.question, record(written), items)


def record(written: RecordBuilder) -> Record:
    return Record(Timeline(written.facts, [written.patient]), Context(), (), ASKED_AT)


@cache
def _chart(number: int) -> RecordBuilder:
    return chart(number)


def _facts_of(written: RecordBuilder, thing: str) -> frozenset[str]:
    """Ids of the facts of one kind and code, as `result 2823-3` names them."""
    kind, code = thing.split(" ", 1)
    wanted = FactKind.Value(f"FACT_KIND_{kind.upper()}")
    facts = (each.fact for each in written.facts if each.fact.kind == wanted and each.fact.code.code == code)
    return frozenset(each.fact_id for each in facts)
