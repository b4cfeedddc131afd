"""The events that tell of concerns, and what a person may do about one.

Guarantee: what is done is done once to the state that was seen; doing the same again changes nothing.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from consult import times
from consult.surveillance import Change, Changed, is_open
from contracts.errors import ConflictError, DeniedError, InvalidInputError
from contracts.identifiers import event_id, patient_partition_key
from contracts.topics import CONCERN_ACTED, CONCERN_CHANGED, CONCERN_OPENED, CONCERN_RESOLVED, Topic
from eventbus import Outgoing
from longitude.reasoning.v1 import concern_pb2 as wire
from longitude.reasoning.v1.concern_pb2 import Concern, ConcernAct
from servicekit.principal import Person

SHORTEST_REASON, LONGEST_REASON = 10, 500
LONGEST_SNOOZE = timedelta(days=30)
# Who may say that a danger is none.
_DISMISSES = "physician"
_TOPICS: dict[Change, Topic[Any]] = {
    Change.OPENED: CONCERN_OPENED,
    Change.CHANGED: CONCERN_CHANGED,
    Change.RESOLVED: CONCERN_RESOLVED,
}


def outgoing(changed: Iterable[Changed], at: datetime) -> list[Outgoing]:
    """An event for each new state."""
    return [
        _event(_TOPICS[each.change], _TOPICS[each.change].payload(concern=each.concern), at)
        for each in changed
        if each.change in _TOPICS
    ]


def acted_event(concern: Concern, act: ConcernAct) -> Outgoing:
    """That a person acted."""
    return _event(CONCERN_ACTED, wire.ConcernActed(concern=concern, act=act), act.acted_at.ToDatetime(tzinfo=UTC))


def check(request: wire.ActOnConcernRequest, person: Person | None, now: datetime) -> Person:
    """Who acts. InvalidInputError, DeniedError."""
    if request.action not in wire.ConcernAction.values() or not request.action:
        raise InvalidInputError("action must be one of acknowledge, snooze, dismiss, reopen")
    if len(request.reason) > LONGEST_REASON:
        raise InvalidInputError(f"reason has more than {LONGEST_REASON} characters")
    if request.action == wire.CONCERN_ACTION_DISMISS and len(request.reason.strip()) < SHORTEST_REASON:
        raise InvalidInputError(f"a dismissal needs a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters")
    if request.HasField("until") != (request.action == wire.CONCERN_ACTION_SNOOZE):
        raise InvalidInputError("a snooze has an end (until), and nothing else has")
    if request.HasField("until") and not now < _moment(request) <= now + LONGEST_SNOOZE:
        raise InvalidInputError(f"until must be later than now, at most {LONGEST_SNOOZE.days} days")
    if person is None:
        raise DeniedError("a person acts on a concern, not a process")
    if request.action == wire.CONCERN_ACTION_DISMISS and _DISMISSES not in person.roles:
        raise DeniedError("a concern is dismissed by a physician")
    return person


def acted(concern: Concern, request: wire.ActOnConcernRequest, by: Person, now: datetime) -> ConcernAct | None:
    """What is done, and the concern is as it is from now on; None where the same was done before. ConflictError where
    it is resolved, or in another state than the one that was seen.
    """
    if not is_open(concern):
        raise ConflictError("this concern is resolved: the record has nothing of it any more")
    if request.revision and request.revision != concern.revision:
        raise ConflictError(f"this concern is in revision {concern.revision}: look at it again")
    who = wire.ConcernActor(issuer=by.issuer, subject=by.subject, name=by.name)
    act = ConcernAct(action=request.action, by=who, reason=request.reason.strip(), acted_at=times.stamp(now))
    if request.HasField("until"):
        act.until.CopyFrom(request.until)
    if _is_done(concern, act):
        return None
    concern.revision += 1
    concern.interruptive = False
    if request.action == wire.CONCERN_ACTION_REOPEN:
        concern.ClearField("act")
    else:
        concern.act.CopyFrom(act)
    return act


def _is_done(concern: Concern, act: ConcernAct) -> bool:
    if act.action == wire.CONCERN_ACTION_REOPEN:
        return not concern.HasField("act")
    before = concern.act
    return (before.action, before.by, before.reason, before.until) == (act.action, act.by, act.reason, act.until)


def _moment(request: wire.ActOnConcernRequest) -> datetime:
    try:
        return request.until.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError("until is not a time") from error


def _event(topic: Topic[Any], payload: Any, at: datetime) -> Outgoing:
    concern: Concern = payload.concern
    name = event_id("concern", concern.concern_id, str(concern.revision))
    return Outgoing(topic, name, patient_partition_key(concern.patient), payload, at)
