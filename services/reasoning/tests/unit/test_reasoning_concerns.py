"""What a person may do about a concern, and the events that tell of it."""

from datetime import UTC, datetime, timedelta

import pytest
from consult import times
from consult.surveillance import Change, Changed
from contracts.errors import ConflictError, DeniedError, InvalidInputError
from longitude.reasoning.v1 import concern_pb2 as wire
from longitude.reasoning.v1.concern_pb2 import ActOnConcernRequest, Concern, ConcernActor
from reasoning.domain import concerns
from reasoning.flows.announcements import changed_events

NOW = datetime(2026, 10, 7, 8, tzinfo=UTC)
ADA = ConcernActor(issuer="https://issuer", subject="p1", name="Dr P")
JONAS = ConcernActor(issuer="https://issuer", subject="n1", name="N")
PHYSICIAN, NURSE = ["physician"], ["nurse"]
REASON = "the sample was haemolysed"


def concern(revision: int = 3) -> Concern:
    made = Concern(concern_id="c", row="criticals/potassium", revision=revision, interruptive=True)
    made.patient.id, made.patient.authority = "1", "NORTH"
    made.state = wire.CONCERN_STATE_OPEN
    return made


def asking(
    action: wire.ConcernAction.ValueType, *, until: datetime | None = None, **fields: object
) -> ActOnConcernRequest:
    request = ActOnConcernRequest(concern_id="c", action=action, **fields)  # type: ignore[arg-type]
    if until is not None:
        request.until.CopyFrom(times.stamp(until))
    return request


@pytest.mark.parametrize(
    ("request_", "roles", "error"),
    [
        (asking(wire.CONCERN_ACTION_UNSPECIFIED), PHYSICIAN, InvalidInputError),
        (asking(wire.CONCERN_ACTION_DISMISS), PHYSICIAN, InvalidInputError),
        (asking(wire.CONCERN_ACTION_DISMISS, reason=" " * 20), PHYSICIAN, InvalidInputError),
        (asking(wire.CONCERN_ACTION_ACKNOWLEDGE, reason="x" * 501), PHYSICIAN, InvalidInputError),
        (asking(wire.CONCERN_ACTION_SNOOZE), PHYSICIAN, InvalidInputError),
        (asking(wire.CONCERN_ACTION_SNOOZE, until=NOW), PHYSICIAN, InvalidInputError),
        (asking(wire.CONCERN_ACTION_SNOOZE, until=NOW + timedelta(days=31)), PHYSICIAN, InvalidInputError),
        (asking(wire.CONCERN_ACTION_ACKNOWLEDGE, until=NOW + timedelta(days=1)), PHYSICIAN, InvalidInputError),
        (asking(wire.CONCERN_ACTION_ACKNOWLEDGE), None, DeniedError),
        (asking(wire.CONCERN_ACTION_DISMISS, reason=REASON), NURSE, DeniedError),
    ],
)
def test_what_may_not_be_done_is_refused_with_its_reason(
    request_: ActOnConcernRequest, roles: list[str] | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        concerns.check(request_, roles, NOW)


def test_what_is_done_is_a_state_of_its_own_and_doing_it_again_is_none() -> None:
    known, request = concern(), asking(wire.CONCERN_ACTION_DISMISS, reason=REASON, revision=3)
    act = concerns.acted(known, request, ADA, NOW)
    assert act is not None
    assert (known.revision, known.interruptive, known.act.reason, known.act.by.name) == (4, False, REASON, "Dr P")
    request.revision = 4
    assert concerns.acted(known, request, ADA, NOW + timedelta(hours=1)) is None
    assert known.revision == 4


def test_reopening_takes_back_what_was_done() -> None:
    known = concern()
    concerns.acted(known, asking(wire.CONCERN_ACTION_ACKNOWLEDGE), JONAS, NOW)
    act = concerns.acted(known, asking(wire.CONCERN_ACTION_REOPEN), ADA, NOW)
    assert act is not None
    assert (known.HasField("act"), act.action, known.revision) == (False, wire.CONCERN_ACTION_REOPEN, 5)
    assert concerns.acted(known, asking(wire.CONCERN_ACTION_REOPEN), ADA, NOW) is None


def test_nothing_is_done_to_a_state_that_nobody_saw() -> None:
    with pytest.raises(ConflictError, match="revision 3"):
        concerns.acted(concern(), asking(wire.CONCERN_ACTION_ACKNOWLEDGE, revision=2), JONAS, NOW)
    resolved = concern()
    resolved.state = wire.CONCERN_STATE_RESOLVED
    with pytest.raises(ConflictError, match="resolved"):
        concerns.acted(resolved, asking(wire.CONCERN_ACTION_ACKNOWLEDGE), JONAS, NOW)


def test_each_state_has_one_event_and_what_is_brought_up_to_date_none() -> None:
    changed = [Changed(change, concern(revision)) for revision, change in enumerate(Change, 1)]
    events = changed_events(changed, NOW)
    assert [each.topic.name.split(".")[1] for each in events] == [
        "concern-opened",
        "concern-changed",
        "concern-resolved",
    ]
    assert len({each.id for each in events}) == len(events)
    assert [each.id for each in events] == [each.id for each in changed_events(changed, NOW + timedelta(days=1))]
