"""What is practised: a question about a record, what an editor is offered, and which of it is right.

Authored questions (`data/questions.jsonl`) are by hands that knew nothing of this software: of each, the things that a
colleague would show, in order. Others are made without limit by `testkit.questions`, whose gold a rule chose.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from consult import Budget, Chooser, Identity, Prepared, Record, Timeline, prepare
from consult.rewards import Item, Known, Shown
from longitude.record.v1.context_pb2 import Context
from longitude.record.v1.fact_pb2 import FactKind
from testkit.charts import chart
from testkit.records import RecordBuilder

# The day on which the charts' questions are asked.
ASKED_AT = datetime(2026, 9, 20, tzinfo=UTC)
# Charts of the authored questions that nothing is learned from.
HELD_BACK = frozenset({700308, 700309, 700318, 700319, 700328, 700329})
# What a wanted thing weighs, the most important first; a rubric's rows weigh up to 10.
_WEIGHTS = (10.0, 8.0, 6.0, 5.0, 4.0, 3.0)
_BUDGET = Budget(700)


@dataclass(frozen=True, slots=True)
class Task:
    """`known`: what is right, by ids of facts; `topic`: ids of all facts that concern the question."""

    name: str
    patient: str
    prepared: Prepared
    known: Known
    topic: frozenset[str]

    def candidate(self, number: int, step: int) -> Shown:
        """What a candidate shows, by its place from 1."""
        assert self.prepared.selection is not None
        statement = self.prepared.selection.offered[number - 1].drafted.rendered.statement
        return self._shown(frozenset(statement.fact_ids), statement.kind, step)

    def mandatory(self) -> list[Shown]:
        """What is shown in any case: nobody's merit."""
        assert self.prepared.selection is not None
        offered = enumerate(self.prepared.selection.offered, 1)
        return [self.candidate(number, 0) for number, each in offered if each.mandatory]

    def by_rules(self, step: int) -> list[Shown]:
        """What stands in front where nothing is chosen; `step` is the one that left it so."""
        return [
            self._shown(frozenset(each.fact_id for each in one.citations if each.fact_id), one.kind, step)
            for one in self.prepared.front
        ]

    def _shown(self, fact_ids: frozenset[str], kind: int, step: int) -> Shown:
        return Shown(step, fact_ids, kind, on_topic=not self.topic.isdisjoint(fact_ids))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Authored:
    """A question about an invented chart; `show`: kind and code of the things that answer it, in order."""

    chart: int
    question: str
    show: tuple[str, ...]


def authored(wanted: Callable[[int], bool]) -> Iterator[Task]:
    """Of the charts that are wanted, in order; each is prepared as serving prepares it."""
    return (_task(each) for each in written_questions() if wanted(each.chart))


def charts() -> list[int]:
    """Of the authored questions, in order."""
    return list(dict.fromkeys(each.chart for each in written_questions()))


@cache
def written_questions() -> tuple[Authored, ...]:
    lines = (files("training") / "data" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = (json.loads(line) for line in lines)
    return tuple(Authored(row["chart"], row["question"], tuple(row["show"])) for row in rows)


def _task(asked: Authored) -> Task:
    written = _chart(asked.chart)
    items = tuple(
        Item(thing, weight, _facts_of(written, thing)) for thing, weight in zip(asked.show, _WEIGHTS, strict=False)
    )
    return task(str(asked.chart), asked.question, record(written), items)


def task(patient: str, question: str, about: Record, items: Sequence[Item]) -> Task:
    """A question whose items are known by the facts that say them."""
    name = f"{patient}: {question}"
    prepared = prepare(question, about, _BUDGET, Identity.of(name), chooser=Chooser.EDITOR)
    assert prepared.selection is not None
    there = [frozenset(each.drafted.rendered.statement.fact_ids) for each in prepared.selection.offered]
    offered = frozenset(item.name for item in items if any(not item.fact_ids.isdisjoint(each) for each in there))
    topic = frozenset[str]().union(*(item.fact_ids for item in items))
    return Task(name, patient, prepared, Known(tuple(items), offered), topic)


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
