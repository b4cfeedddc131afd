"""Scheduling messages become appointments: when, in which state, known by which numbers; and no visits."""

from datetime import UTC, datetime

import pytest
from ingestion.domain.reading import Feed, Reading, read
from longitude.record.v1 import fact_pb2 as pb
from terminology import sensitivity

PID = "PID|1||P1^^^NORTH^MR||Testperson^Ada||19600102|F"
ORDERED, ENDED = pb.FACT_STATUS_ORDERED, pb.FACT_STATUS_ENDED


def reading(event: str, *segments: str, version: str = "2.5.1") -> Reading:
    header = f"MSH|^~\\&|SCHED|NORTH|||20240301120000||SIU^{event}|M1|P|{version}"
    return read("\r".join([header, *segments, ""]).encode(), datetime(2024, 6, 1, tzinfo=UTC), Feed())


def appointment(event: str, *segments: str) -> pb.ClinicalFact:
    """The one fact beside those about the person."""
    found = [fact for fact in reading(event, *segments).content.facts if fact.kind != pb.FACT_KIND_DEMOGRAPHIC]
    (fact,) = found
    return fact


def sch(state: str = "", timing: str = "", occurrence: str = "") -> str:
    fields = ["SCH", "PL1^EHR", "FI1^SCHED^1.2.3^ISO", occurrence, "", "", "ROUTINE", "R1^Diabetes control^L"]
    fields += ["FOLLOWUP^Follow-up^HL70277", "30", "MIN", timing, *[""] * 13, state]
    return "|".join(fields)


TQ1 = "TQ1|1||||||20240310093000+0100|20240310100000+0100"
RESOURCES = ("RGS|1|A", "AIS|1|A|ECG^ECG^L|20240310101500+0100", "AIP|1|A|D1^Doe^J|||20240310101000+0100")


def test_a_booking_says_when_and_why_and_is_known_by_both_numbers() -> None:
    fact = appointment("S12", sch(), TQ1, PID, *RESOURCES)
    assert (fact.kind, fact.status) == (pb.FACT_KIND_APPOINTMENT, ORDERED)
    assert (fact.valid_from.ToJsonString(), fact.valid_to.ToJsonString()) == (
        "2024-03-10T08:30:00Z",
        "2024-03-10T09:00:00Z",
    )
    assert (fact.code.code, fact.code.display, fact.note) == ("FOLLOWUP", "Follow-up", "Diabetes control")
    assert list(fact.identity.groups) == [
        "appointment-filler:FI1@SCHED",
        "appointment-filler:FI1@1.2.3",
        "appointment-placer:PL1@EHR",
    ]
    assert (fact.source.segment, fact.source.field) == ("SCH[1]", "SCH-8")


def test_a_coded_reason_is_labelled_beside_a_type_that_says_nothing() -> None:
    booked = sch().replace("R1^Diabetes control^L", "B20^HIV disease^I10C")
    fact = appointment("S12", booked, TQ1, PID)
    assert (fact.code.code, sensitivity.of_fact(fact)) == ("FOLLOWUP", frozenset({"HIV"}))
    assert not sensitivity.of_fact(appointment("S12", sch(), TQ1, PID))


@pytest.mark.parametrize(
    ("segments", "begins"),
    [
        ((sch(timing="1^^^20240310093000+0100^20240310100000+0100"), PID), "2024-03-10T08:30:00Z"),
        ((sch(timing="1^^^20240310093000+0100"), "TQ1|1||||||20240311093000+0100", PID), "2024-03-11T08:30:00Z"),
        ((sch(), PID, *RESOURCES), "2024-03-10T09:10:00Z"),
    ],
)
def test_it_begins_as_the_timing_says_else_with_its_first_resource(segments: tuple[str, ...], begins: str) -> None:
    assert appointment("S12", *segments).valid_from.ToJsonString() == begins


@pytest.mark.parametrize(
    ("event", "state", "status"),
    [
        ("S12", "", ORDERED),
        ("S13", "Booked", ORDERED),
        ("S14", "", ORDERED),
        ("S20", "", ORDERED),
        ("S15", "", ENDED),
        ("S16", "Booked", ENDED),
        ("S26", "", ENDED),
        ("S17", "", pb.FACT_STATUS_ENTERED_IN_ERROR),
        ("S14", "Cancelled^Cancelled^HL70278", ENDED),
        ("S14", "Noshow", ENDED),
        ("S14", "Complete", ENDED),
        ("S12", "Waitlist", pb.FACT_STATUS_PRELIMINARY),
        ("S14", "Deleted", pb.FACT_STATUS_ENTERED_IN_ERROR),
        ("S12", "OWN^Our own word^L", ORDERED),
    ],
)
def test_the_event_says_whether_it_takes_place_and_then_its_state(
    event: str, state: str, status: pb.FactStatus.ValueType
) -> None:
    assert appointment(event, sch(state), TQ1, PID).status == status


def test_each_occurrence_of_a_series_is_an_appointment_of_its_own() -> None:
    first, second = (appointment("S12", sch(occurrence=each), TQ1, PID) for each in "12")
    assert set(first.identity.groups).isdisjoint(second.identity.groups)


def test_what_is_of_no_patient_or_cannot_be_named_is_no_fact() -> None:
    assert not reading("S12", sch(), TQ1).content.facts
    assert not [each for each in reading("S23", sch(), TQ1, PID).content.facts if each.kind == pb.FACT_KIND_APPOINTMENT]
    unnamed = reading("S12", "SCH||||||ROUTINE", TQ1, PID)
    assert not [each for each in unnamed.content.facts if each.kind == pb.FACT_KIND_APPOINTMENT]
    assert "SCH-2" in {each.field for each in unnamed.remarks}


def test_what_cannot_be_read_is_remarked() -> None:
    found = reading("S12", sch("OWN"), "TQ1|1||||||tomorrow", PID)
    assert {(each.field, each.reason) for each in found.remarks} >= {
        ("TQ1-7", "not a timestamp"),
        ("SCH-11", "an appointment of which nobody says when it begins"),
        ("SCH-25", "state of an appointment is not known; taken as the event says"),
    }
