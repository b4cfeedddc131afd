"""What is practised: a question about a record, what an editor is offered, and which of it is right."""

from collections.abc import Sequence
from dataclasses import dataclass

from consult import Budget, Chooser, Identity, Prepared, Record, prepare
from consult.rewards import Item, Known, Shown

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
        # What is said to be missing rests on nothing.
        on_topic = not fact_ids or not self.topic.isdisjoint(fact_ids)
        return Shown(step, fact_ids, kind, on_topic=on_topic)  # type: ignore[arg-type]


def task(patient: str, question: str, about: Record, items: Sequence[Item]) -> Task:
    """A question whose items are known by the facts that say them."""
    name = f"{patient}: {question}"
    prepared = prepare(question, about, _BUDGET, Identity.of(name), chooser=Chooser.EDITOR)
    assert prepared.selection is not None
    there = [frozenset(each.drafted.rendered.statement.fact_ids) for each in prepared.selection.offered]
    offered = frozenset(item.name for item in items if any(not item.fact_ids.isdisjoint(each) for each in there))
    topic = frozenset[str]().union(*(item.fact_ids for item in items))
    return Task(name, patient, prepared, Known(tuple(items), offered), topic)
