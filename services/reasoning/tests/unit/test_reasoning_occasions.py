"""When a form is to be ready, and for which view of a record."""

from datetime import UTC, datetime, timedelta

import pytest
from consult import Timeline
from hypothesis import given
from hypothesis import strategies as st
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1 import prepared_pb2 as pb
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.context_pb2 import Contradiction, RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept, PatientKey
from practice.records import RecordBuilder
from reasoning.domain.occasions import agenda
from reasoning.domain.open_to import views
from terminology.concepts import ICD10CM

NOW = datetime(2026, 11, 10, 8, tzinfo=UTC)
LEAD = timedelta(hours=24)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ORDERED, ACTIVE, ENDED = clinical.FACT_STATUS_ORDERED, clinical.FACT_STATUS_ACTIVE, clinical.FACT_STATUS_ENDED
VISIT, APPOINTMENT = clinical.FACT_KIND_ENCOUNTER, clinical.FACT_KIND_APPOINTMENT


def visit(
    status: clinical.FactStatus.ValueType,
    *,
    kind: clinical.FactKind.ValueType = VISIT,
    code: str = "IMP",
    begins: timedelta | None = None,
    ends: timedelta | None = None,
    stated: timedelta | None = None,
) -> RecordedFact:
    """Times as their distance from now."""
    fact = ClinicalFact(kind=kind, code=CodedConcept(code=code), status=status)
    for field, distance in (("valid_from", begins), ("valid_to", ends), ("stated_at", stated)):
        if distance is not None:
            getattr(fact, field).FromDatetime(NOW + distance)
    return RecordedFact(fact=fact)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (visit(ACTIVE, begins=-HOUR), (wire.FORM_BRIEF, pb.OCCASION_UNDER_WAY)),
        (visit(ACTIVE, stated=-HOUR, code="AMB"), (wire.FORM_BRIEF, pb.OCCASION_UNDER_WAY)),
        (visit(ACTIVE, begins=-29 * DAY), (wire.FORM_BRIEF, pb.OCCASION_UNDER_WAY)),
        (visit(ACTIVE, begins=-2 * DAY, code="AMB"), None),
        (visit(ORDERED, begins=23 * HOUR), (wire.FORM_BRIEF, pb.OCCASION_PLANNED)),
        (visit(ORDERED, begins=25 * HOUR), None),
        (visit(ORDERED, begins=-25 * HOUR), None),
        (visit(ORDERED, stated=-HOUR), (wire.FORM_BRIEF, pb.OCCASION_PLANNED)),
        (visit(ORDERED, begins=HOUR, kind=APPOINTMENT), (wire.FORM_BRIEF, pb.OCCASION_APPOINTMENT)),
        (visit(ENDED, begins=HOUR, kind=APPOINTMENT), None),
        (visit(ENDED, begins=-9 * DAY, ends=-DAY), (wire.FORM_SUMMARY, pb.OCCASION_DISCHARGED)),
        (visit(ENDED, begins=-9 * DAY, ends=-4 * DAY), None),
        (visit(ENDED, begins=-DAY, ends=-HOUR, code="AMB"), None),
        (visit(clinical.FACT_STATUS_ENTERED_IN_ERROR, begins=-HOUR), None),
    ],
)
def test_what_is_said_of_a_visit_decides_what_is_ready(
    known: RecordedFact, expected: tuple[wire.Form.ValueType, pb.Occasion.ValueType] | None
) -> None:
    seen = agenda([known], NOW, LEAD)
    assert [(each.form, each.kind) for each in seen.occasions] == ([expected] if expected else [])


def test_the_nearest_visit_is_what_a_brief_is_for_and_a_discharge_has_a_summary_beside_it() -> None:
    known = [
        visit(ORDERED, begins=20 * HOUR, kind=APPOINTMENT),
        visit(ORDERED, begins=2 * HOUR, kind=APPOINTMENT),
        visit(ENDED, begins=-9 * DAY, ends=-DAY),
    ]
    ready = {each.form: each.at - NOW for each in agenda(known, NOW, LEAD).occasions}
    assert ready == {wire.FORM_BRIEF: 2 * HOUR, wire.FORM_SUMMARY: -DAY}


def test_a_statement_that_was_replaced_says_nothing() -> None:
    replaced = visit(ACTIVE, begins=-HOUR)
    replaced.superseded_at.FromDatetime(NOW)
    assert agenda([replaced], NOW, LEAD).occasions == ()
    assert agenda([replaced], NOW, LEAD).next_at is None


def test_an_appointment_that_is_sensitive_itself_is_no_occasion() -> None:
    known = visit(ORDERED, begins=HOUR, kind=APPOINTMENT)
    known.fact.source_code.CopyFrom(CodedConcept(system=ICD10CM, code="B20"))
    assert agenda([known], NOW, LEAD).occasions == ()


STATUSES = st.sampled_from([ORDERED, ACTIVE, ENDED, clinical.FACT_STATUS_UNSPECIFIED])
HOURS = st.none() | st.integers(-40 * 24, 40 * 24).map(lambda hours: timedelta(hours=hours))
VISITS = st.lists(
    st.builds(
        visit,
        STATUSES,
        kind=st.sampled_from([VISIT, APPOINTMENT]),
        code=st.sampled_from(["IMP", "AMB", ""]),
        begins=HOURS,
        ends=HOURS,
        stated=HOURS,
    ),
    max_size=4,
)


@given(VISITS, st.integers(1, 60 * 24))
def test_nothing_begins_or_ends_by_time_before_the_next_look(known: list[RecordedFact], minutes: int) -> None:
    seen, later = agenda(known, NOW, LEAD), NOW + timedelta(minutes=minutes)
    if seen.next_at is None or later < seen.next_at:
        kinds = {(each.form, each.since, each.until) for each in agenda(known, later, LEAD).occasions}
        assert {each.form for each in seen.occasions} == {form for form, _, _ in kinds}
    else:
        assert seen.next_at > NOW


HIV = ("1433868", "dolutegravir")
KEY = PatientKey(id="1", authority="NORTH")


def record_of_somebody_who_takes(*drugs: tuple[str, str]) -> RecordBuilder:
    record = RecordBuilder(KEY)
    record.potassium("4.4", "2026-11-01")
    for code, name in drugs:
        record.medication(code, name, "2026-10-01")
    return record


def test_a_record_without_anything_sensitive_has_one_view() -> None:
    timeline = Timeline(record_of_somebody_who_takes(("6809", "metformin")).facts, [KEY])
    assert [(each.closed, each.timeline) for each in views(timeline)] == [(0, timeline)]


def test_what_is_sensitive_is_in_one_view_and_with_what_it_contradicts_not_in_the_other() -> None:
    facts = record_of_somebody_who_takes(("6809", "metformin"), HIV).facts
    names = [each.fact.fact_id for each in facts]
    contradictions = [Contradiction(fact_ids=names[:2]), Contradiction(fact_ids=names[1:])]
    whole, plain = views(Timeline(facts, [KEY], contradictions))
    assert (whole.closed, list(whole.timeline.facts)) == (0, facts)
    assert (plain.closed, list(plain.timeline.facts)) == (1, facts[:2])
    assert list(plain.timeline.contradictions) == contradictions[:1]


def test_nothing_is_written_where_the_number_of_closed_facts_does_not_tell_the_view() -> None:
    facts = record_of_somebody_who_takes(HIV).facts
    facts[-1].superseded_at.FromDatetime(NOW)
    assert views(Timeline(facts, [KEY])) == []
    withdrawn = record_of_somebody_who_takes(HIV).facts
    withdrawn[-1].fact.status = clinical.FACT_STATUS_ENTERED_IN_ERROR
    assert views(Timeline(withdrawn, [KEY])) == []
    assert views(Timeline(facts[:1], [KEY], left_out=1)) == []
