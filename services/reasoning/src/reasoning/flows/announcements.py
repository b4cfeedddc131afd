"""The events that tell of concerns: one for each state, however often it is told."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from consult.surveillance import Change, Changed
from contracts.identifiers import event_id, patient_partition_key
from contracts.topics import CONCERN_ACTED, CONCERN_CHANGED, CONCERN_OPENED, CONCERN_RESOLVED, Topic
from eventbus import Outgoing
from longitude.reasoning.v1.concern_pb2 import Concern, ConcernAct, ConcernActed

from reasoning.adapters.postgres_outward import State

_TOPICS: dict[Change, Topic[Any]] = {
    Change.OPENED: CONCERN_OPENED,
    Change.CHANGED: CONCERN_CHANGED,
    Change.RESOLVED: CONCERN_RESOLVED,
}


def changed_events(changed: Iterable[Changed], at: datetime) -> list[Outgoing]:
    """An event for each new state."""
    return [
        _event(_TOPICS[each.change], _TOPICS[each.change].payload(concern=each.concern), at)
        for each in changed
        if each.change in _TOPICS
    ]


def state_of(event: Outgoing) -> State:
    """The state that such an event tells of."""
    concern: Concern = event.payload.concern  # type: ignore[attr-defined]
    return State(event.id, concern, event.time)


def acted_event(concern: Concern, act: ConcernAct) -> Outgoing:
    """That a person acted."""
    return _event(CONCERN_ACTED, ConcernActed(concern=concern, act=act), act.acted_at.ToDatetime(tzinfo=UTC))


def state_id(concern: Concern) -> str:
    """The id of the event of this state."""
    return event_id("concern", concern.concern_id, str(concern.revision))


def _event(topic: Topic[Any], payload: Any, at: datetime) -> Outgoing:
    concern: Concern = payload.concern
    return Outgoing(topic, state_id(concern), patient_partition_key(concern.patient), payload, at)
