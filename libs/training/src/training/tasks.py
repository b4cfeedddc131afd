"""What is practised: a question about a record, what an editor is offered, and which of it is right."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from consult import Budget, Chooser, Identity, Record, prepare
from consult.rewards import Item, Known, Shown
from longitude.reasoning.v1.assessment_pb2 import StatementKind
from longitude.reasoning.v1.episode_pb2 import EpisodeInputs

_BUDGET = Budget(700)
# What a wanted thing weighs, the most important first; a rubric's rows weigh up to 10.
WEIGHTS = (10.0, 8.0, 6.0, 5.0, 4.0, 3.0)


@dataclass(frozen=True, slots=True)
class Task:
    """`inputs`: what the episode starts from; `offered`: what each of its candidates shows, in their order; `front`:
    what stands in front where nothing is chosen. `known`: what is right, by ids of facts.
    """

    name: str
    patient: str
    inputs: EpisodeInputs
    asked_at: datetime
    offered: tuple[Shown, ...]
    front: tuple[Shown, ...]
    known: Known

    def candidate(self, number: int, step: int) -> Shown:
        """What a candidate shows, by its place from 1."""
        return replace(self.offered[number - 1], episode_step=step)

    def free(self) -> list[int]:
        """Places of the candidates that may be chosen."""
        return [number for number, each in enumerate(self.inputs.candidates, 1) if not each.mandatory]

    def mandatory(self) -> list[Shown]:
        """What is shown in any case: nobody's merit."""
        return [self.candidate(number, 0) for number, each in enumerate(self.inputs.candidates, 1) if each.mandatory]

    def by_rules(self, step: int) -> list[Shown]:
        """What stands in front where nothing is chosen; `step` is the one that left it so."""
        return [replace(each, episode_step=step) for each in self.front]


def task(patient: str, question: str, about: Record, items: Sequence[Item]) -> Task:
    """A question whose items are known by the facts that say them."""
    name = f"{patient}: {question}"
    prepared = prepare(question, about, _BUDGET, Identity.of(name), chooser=Chooser.EDITOR)
    assert prepared.selection is not None
    statements = [each.drafted.rendered.statement for each in prepared.selection.offered]
    known = known_of(items, [frozenset(each.fact_ids) for each in statements])
    offered = tuple(shown(each.fact_ids, each.kind, known) for each in statements)
    front = tuple(shown([c.fact_id for c in one.citations if c.fact_id], one.kind, known) for one in prepared.front)
    return Task(name, patient, prepared.inputs, about.asked_at, offered, front, known)


def known_of(items: Sequence[Item], offered: Sequence[frozenset[str]]) -> Known:
    """`offered`: of each candidate the ids of its facts."""
    there = frozenset(item.name for item in items if any(not item.fact_ids.isdisjoint(each) for each in offered))
    return Known(tuple(items), there)


def shown(fact_ids: Sequence[str], kind: StatementKind.ValueType, known: Known) -> Shown:
    """A statement that nobody chose yet: on the topic where it says something wanted, or that something is missing."""
    topic = frozenset[str]().union(*(item.fact_ids for item in known.wanted))
    return Shown(0, frozenset(fact_ids), kind, on_topic=not fact_ids or not topic.isdisjoint(fact_ids))
