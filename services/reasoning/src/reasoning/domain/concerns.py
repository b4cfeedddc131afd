"""What a person may do about a concern.

Guarantee: what is done is done once to the state that was seen; doing the same again changes nothing.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from consult import times
from consult.surveillance import is_open
from contracts.errors import ConflictError, DeniedError, InvalidInputError
from longitude.reasoning.v1 import concern_pb2 as wire
from longitude.reasoning.v1.concern_pb2 import Concern, ConcernAct, ConcernActor

SHORTEST_REASON, LONGEST_REASON = 10, 500
LONGEST_SNOOZE = timedelta(days=30)
# Who may say that a danger is none.
_DISMISSES = "physician"


def check(request: wire.ActOnConcernRequest, roles: Collection[str] | None, now: datetime) -> None:
    """`roles` of the person who acts; None where none does. InvalidInputError, DeniedError."""
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
    if roles is None:
        raise DeniedError("a person acts on a concern, not a process")
    if request.action == wire.CONCERN_ACTION_DISMISS and _DISMISSES not in roles:
        raise DeniedError("a concern is dismissed by a physician")


def acted(concern: Concern, request: wire.ActOnConcernRequest, by: ConcernActor, now: datetime) -> ConcernAct | None:
    """What is done, and the concern is as it is from now on; None where the same was done before. ConflictError where
    it is resolved, or in another state than the one that was seen.
    """
    if not is_open(concern):
        raise ConflictError("this concern is resolved: the record has nothing of it any more")
    if request.revision and request.revision != concern.revision:
        raise ConflictError(f"this concern is in revision {concern.revision}: look at it again")
    act = ConcernAct(action=request.action, by=by, reason=request.reason.strip(), acted_at=times.stamp(now))
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
