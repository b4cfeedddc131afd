"""Which states of concerns leave, and the message that another system reads."""

from datetime import UTC, datetime

import pytest
from ingestion.domain.reading import Feed, read
from longitude.reasoning.v1 import advice_pb2
from longitude.reasoning.v1 import concern_pb2 as wire
from longitude.reasoning.v1.concern_pb2 import Concern
from longitude.record.v1 import fact_pb2 as pb
from reasoning.domain.outward import Addressee, control_id, leaves, message, untold

AT = datetime(2026, 11, 2, tzinfo=UTC)
TO = Addressee("EHR", "NORTH", advice_pb2.URGENCY_IMPORTANT, sensitive=False)
OPEN, RESOLVED = wire.CONCERN_STATE_OPEN, wire.CONCERN_STATE_RESOLVED
TEXT = "Potassium 6.7 mmol/L | is high & rising^ ~ \\now\nin two lines"


def concern(
    revision: int = 1,
    state: wire.ConcernState.ValueType = OPEN,
    urgency: advice_pb2.Urgency.ValueType = advice_pb2.URGENCY_URGENT,
    *,
    sensitive: bool = False,
) -> Concern:
    made = Concern(concern_id="c-1", row="criticals/potassium", version=3, revision=revision, state=state)
    made.urgency, made.sensitive, made.text, made.source = urgency, sensitive, TEXT, "A handbook, section 2, 2024"
    made.patient.id, made.patient.authority = "P1", "NORTH"
    return made


@pytest.mark.parametrize(
    ("state", "sent", "expected"),
    [
        (concern(), 0, True),
        (concern(2), 1, True),
        # An older state that comes behind a newer one.
        (concern(2), 3, False),
        (concern(2), 2, False),
        (concern(urgency=advice_pb2.URGENCY_ROUTINE), 0, False),
        # What was told is told on, also where it is less urgent by now.
        (concern(2, urgency=advice_pb2.URGENCY_ROUTINE), 1, True),
        (concern(2, RESOLVED), 1, True),
        (concern(2, RESOLVED), 0, False),
        (concern(sensitive=True), 0, False),
    ],
)
def test_what_leaves(state: Concern, sent: int, *, expected: bool) -> None:
    assert leaves(state, sent, TO) is expected


@pytest.mark.parametrize(
    ("revision", "acted", "sent", "expected"),
    [
        (1, [], 0, 1),
        (1, [], 1, 0),
        # A person acted on what was told, and on what was not.
        (3, [2, 3], 1, 0),
        (3, [2, 3], 0, 1),
        (4, [3], 1, 4),
        (4, [2, 4], 1, 3),
    ],
)
def test_what_is_told_afterwards_is_the_state_and_no_act(
    revision: int, acted: list[int], sent: int, expected: int
) -> None:
    state = untold(concern(revision), acted, sent, TO)
    assert (state.revision if state else 0) == expected


def test_the_message_is_read_as_results_of_the_patient_under_the_concerns_own_number() -> None:
    found = read(message(concern(), "e-1", AT, TO, again=False), AT, Feed())
    assert not found.remarks
    assert (found.header.control_id, found.header.sending_application) == (control_id("e-1"), "LONGITUDE")
    facts = [each for each in found.content.facts if each.kind == pb.FACT_KIND_RESULT]
    told = {each.source_code.code: each.text or each.coded.code or each.quantity.value for each in facts}
    assert told == {
        "STATE": "open",
        "URGENCY": "urgent",
        "TEXT": TEXT.replace("\n", " "),
        "RULE": "criticals/potassium@3",
        "SOURCE": "A handbook, section 2, 2024",
        "REVISION": "1",
    }
    assert {(each.patient.id, each.patient.authority) for each in facts} == {("P1", "NORTH")}
    assert all("c-1@LONGITUDE" in each.identity.groups[0] for each in facts)
    assert {each.status for each in facts} == {pb.FACT_STATUS_FINAL}


def test_a_later_state_takes_the_place_of_what_was_told_before() -> None:
    later = read(message(concern(2, RESOLVED), "e-2", AT, TO, again=True), AT, Feed()).content.facts
    results = [each for each in later if each.kind == pb.FACT_KIND_RESULT]
    assert {each.status for each in results} == {pb.FACT_STATUS_CORRECTED}
    assert "resolved" in {each.coded.code or each.text for each in results}


def test_the_same_state_is_the_same_message() -> None:
    once, again = (message(concern(), "e-1", AT, TO, again=False) for _ in range(2))
    assert once == again
    assert len(control_id("e-1")) == 20
    assert control_id("e-1") != control_id("e-2")
