"""Concerns follow the record: whatever came, in whatever order, was merged, parted, corrected or left out between."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from consult import Record, Timeline
from consult.dangers import Danger, dangers, pressing
from consult.surveillance import Change, Changed, compare, is_open
from hypothesis import given, settings
from hypothesis import strategies as st
from knowledge import Knowledge, shipped
from longitude.reasoning.v1 import advice_pb2
from longitude.reasoning.v1 import concern_pb2 as wire
from longitude.reasoning.v1.concern_pb2 import Concern
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.context_pb2 import Context, RecordedFact
from longitude.record.v1.fact_pb2 import FACT_STATUS_ENTERED_IN_ERROR, PatientKey
from practice.records import RecordBuilder

NORTH, LAKE = PatientKey(id="1", authority="NORTH"), PatientKey(id="2", authority="LAKE")
START = datetime(2026, 10, 7, 8, tzinfo=UTC)
# Families whose rows speak of a few facts; those of what is due speak of what is missing.
RULES = Knowledge(
    {name: shipped().rows[name] for name in ("criticals", "changes", "interactions", "organs", "followups")}
)
DRUGS = {"naproxen": "7258", "lisinopril": "29046", "warfarin": "11289", "ibuprofen": "5640"}
PENICILLIN, AMOXICILLIN, CEFUROXIME = "764146007", "723", "2194"
DEPRESSION = ("F32.2", "Major depressive disorder, single episode, severe")


def record_of(facts: list[RecordedFact], identifiers: list[PatientKey], at: datetime = START) -> Record:
    return Record(Timeline(list(facts), identifiers), Context(), (), at, knowledge=RULES)


def one_of(listed: list[Changed], row: str) -> Changed:
    (only,) = (each for each in listed if each.concern.row == row)
    return only


class Patient:
    """One record, and the concerns that are kept of it."""

    def __init__(self, most: int = 3) -> None:
        self.record = RecordBuilder(NORTH)
        self.kept: dict[str, Concern] = {}
        self.most, self.at = most, START

    def look(self) -> list[Changed]:
        self.at += timedelta(minutes=1)
        seen = dangers(record_of(self.record.facts, [NORTH], self.at))
        changed = compare(self.kept.values(), seen, NORTH, self.at, self.most)
        self.kept |= {each.concern.concern_id: each.concern for each in changed}
        return changed

    def act(self, row: str, action: wire.ConcernAction.ValueType) -> None:
        concern = next(each for each in self.kept.values() if each.row == row)
        concern.act.action = action


def test_a_danger_opens_once_and_is_resolved_by_the_fact_that_ends_it() -> None:
    patient = Patient()
    patient.record.potassium("6.7", "2026-10-06")
    opened = one_of(patient.look(), "criticals/potassium")
    assert (opened.change, opened.concern.subject, opened.concern.revision) == (Change.OPENED, "potassium", 1)
    assert (opened.concern.interruptive, opened.concern.urgency) == (True, advice_pb2.URGENCY_URGENT)
    assert "6.7 mmol/L" in opened.concern.text
    assert "UK Kidney Association" in opened.concern.source
    assert patient.look() == []
    patient.record.potassium("4.4", "2026-10-07")
    resolved = one_of(patient.look(), "criticals/potassium")
    assert (resolved.change, resolved.concern.revision) == (Change.RESOLVED, 2)
    assert resolved.concern.concern_id == opened.concern.concern_id
    patient.record.potassium("6.9", "2026-10-08")
    again = one_of(patient.look(), "criticals/potassium")
    assert (again.change, again.concern.revision) == (Change.OPENED, 3)
    assert again.concern.concern_id == opened.concern.concern_id


def test_an_id_says_nothing_of_whose_danger_it_is() -> None:
    """It stands in the log: what follows from patient and danger would be found by trying every patient."""
    ids = set()
    for _ in range(2):
        patient = Patient()
        patient.record.potassium("6.7", "2026-10-06")
        ids.add(one_of(patient.look(), "criticals/potassium").concern.concern_id)
    assert len(ids) == 2


def test_a_new_value_changes_it_and_the_same_statement_again_does_not() -> None:
    patient = Patient()
    first = patient.record.potassium("6.7", "2026-10-06")
    patient.look()
    patient.record.supersede(first, patient.record.potassium("6.7", "2026-10-06"), "2026-10-07")
    assert {each.change for each in patient.look()} == {Change.REFRESHED}
    patient.record.potassium("7.1", "2026-10-07")
    assert one_of(patient.look(), "criticals/potassium").change is Change.CHANGED


def test_a_correction_that_takes_the_value_back_resolves_it() -> None:
    patient = Patient()
    wrong = patient.record.potassium("6.7", "2026-10-06")
    patient.look()
    patient.record.supersede(wrong, patient.record.potassium("4.7", "2026-10-06"), "2026-10-07")
    assert one_of(patient.look(), "criticals/potassium").change is Change.RESOLVED


def test_a_late_result_of_an_earlier_day_opens_nothing() -> None:
    patient = Patient()
    patient.record.potassium("4.4", "2026-10-07")
    patient.record.potassium("6.7", "2026-10-01")
    assert not [each for each in patient.look() if each.concern.row == "criticals/potassium"]


@pytest.mark.parametrize("status", [clinical.FACT_STATUS_ORDERED, clinical.FACT_STATUS_PRELIMINARY])
def test_a_visit_in_five_weeks_leaves_a_critical_of_today(status: clinical.FactStatus.ValueType) -> None:
    patient = Patient()
    patient.record.potassium("6.7", "2026-10-07")
    patient.record.encounter("Inpatient", "2026-11-11")
    patient.record.facts[-1].fact.status = status
    assert one_of(patient.look(), "criticals/potassium").change is Change.OPENED


def test_what_was_replaced_or_taken_back_moves_no_day() -> None:
    patient = Patient()
    patient.record.potassium("6.7", "2026-10-07")
    wrong, right = (patient.record.encounter("Inpatient", day) for day in ("2026-12-07", "2026-10-07"))
    patient.record.supersede(wrong, right, "2026-10-07")
    patient.record.result("2951-2", "Sodium", "140", "mmol/L", "2026-12-07")
    patient.record.facts[-1].fact.status = clinical.FACT_STATUS_ENTERED_IN_ERROR
    assert one_of(patient.look(), "criticals/potassium").change is Change.OPENED


def test_a_drug_of_an_allergy_is_a_concern_though_no_row_states_it() -> None:
    patient = Patient()
    patient.record.allergy(PENICILLIN, "Penicillin", "2025-02-14", reaction="anaphylaxis")
    patient.record.medication(AMOXICILLIN, "amoxicillin", "2026-10-06")
    opened = one_of(patient.look(), "rules/drug_of_an_allergic_class")
    assert (opened.concern.urgency, opened.concern.interruptive) == (advice_pb2.URGENCY_CONTRAINDICATED, True)
    assert "amoxicillin" in opened.concern.subject
    patient = Patient()
    patient.record.allergy(PENICILLIN, "Penicillin", "2025-02-14", reaction="anaphylaxis")
    patient.record.medication(CEFUROXIME, "cefuroxime", "2026-10-06")
    opened = one_of(patient.look(), "rules/drug_of_an_allergic_class")
    assert (opened.concern.urgency, opened.concern.interruptive) == (advice_pb2.URGENCY_IMPORTANT, False)


def test_what_time_alone_ends_is_resolved_when_it_is_looked_at_again() -> None:
    patient = Patient()
    patient.record.potassium("6.7", "2026-10-06")
    patient.look()
    patient.at += timedelta(days=40)
    assert one_of(patient.look(), "criticals/potassium").change is Change.RESOLVED


def test_only_so_many_causes_interrupt_in_a_day_and_the_others_are_listed() -> None:
    patient = Patient(most=1)
    patient.record.potassium("6.7", "2026-10-06")
    patient.look()
    patient.record.result("2951-2", "Sodium", "118", "mmol/L", "2026-10-06")
    later = one_of(patient.look(), "criticals/sodium")
    assert (later.change, later.concern.interruptive) == (Change.OPENED, False)
    patient.record.potassium("7.0", "2026-10-07")
    assert one_of(patient.look(), "criticals/potassium").concern.interruptive
    patient.at += timedelta(days=1)
    patient.record.result("2951-2", "Sodium", "117", "mmol/L", "2026-10-07")
    assert one_of(patient.look(), "criticals/sodium").concern.interruptive


def test_what_a_person_did_holds_until_the_danger_changes() -> None:
    patient = Patient()
    patient.record.potassium("6.7", "2026-10-06")
    patient.record.medication(DRUGS["warfarin"], "warfarin", "2026-10-06")
    patient.record.medication(DRUGS["naproxen"], "naproxen", "2026-10-06")
    patient.look()
    for action in (wire.CONCERN_ACTION_ACKNOWLEDGE, wire.CONCERN_ACTION_DISMISS):
        patient.act("criticals/potassium", action)
        patient.record.potassium(f"6.{7 + action}", "2026-10-06")
        changed = one_of(patient.look(), "criticals/potassium").concern
        assert (changed.HasField("act"), changed.interruptive) == (False, True)


def test_a_dismissal_of_what_is_not_urgent_survives_another_end_of_the_drug() -> None:
    patient = Patient()
    patient.record.medication(DRUGS["lisinopril"], "lisinopril", "2026-10-06")
    patient.record.medication(DRUGS["naproxen"], "naproxen", "2026-10-06")
    patient.look()
    patient.act("interactions/nsaid-raas", wire.CONCERN_ACTION_DISMISS)
    newer = patient.record.medication(DRUGS["naproxen"], "naproxen", "2026-10-06", until="2026-11-06")
    patient.record.supersede(patient.record.facts[1].fact.fact_id, newer, "2026-10-07")
    changed = one_of(patient.look(), "interactions/nsaid-raas")
    assert (changed.change, changed.concern.act.action) == (Change.CHANGED, wire.CONCERN_ACTION_DISMISS)


def test_a_concern_that_nobody_would_see_without_what_is_sensitive_is_sensitive() -> None:
    patient = Patient()
    patient.record.potassium("6.7", "2026-10-06")
    patient.record.medication("1433868", "dolutegravir", "2026-10-06")
    patient.record.medication("49247", "dofetilide", "2026-10-06")
    sensitive = {each.concern.row: each.concern.sensitive for each in patient.look()}
    assert sensitive.pop("criticals/potassium") is False
    assert sensitive
    assert all(sensitive.values())


@pytest.mark.parametrize("shown", ["F02.81", "G30.9"])
def test_a_concern_whose_words_name_what_is_sensitive_is_sensitive(shown: str) -> None:
    """Either problem alone would open it in the same state; its words name the one whose fact comes last."""
    record = RecordBuilder(NORTH)
    record.born("19490101")
    record.medication("5093", "haloperidol", "2026-10-01")
    for code, display in (("G30.9", "Alzheimer's disease"), ("F02.81", "Dementia with behavioral disturbance")):
        record.problem(code, display, "2026-01-01")
        record.facts[-1].fact.fact_id = "b" if code == shown else "a"
    made = Record(Timeline(record.facts, [NORTH]), Context(), (), START)
    (seen,) = (each for each in dangers(made) if each.row == "contraindications/antipsychotic-dementia")
    assert seen.sensitive is ("behavioral" in seen.text) is (shown == "F02.81")


# A hospital day: what may become of the records of two numbers that may be one person's.


@dataclass
class Ward:
    """Two numbers, their facts, whether they are one person's, and the concerns that are kept."""

    builders: dict[str, RecordBuilder] = field(
        default_factory=lambda: {each.authority: RecordBuilder(each) for each in (NORTH, LAKE)}
    )
    are_one: bool = False
    at: datetime = START
    kept: dict[str, Concern] = field(default_factory=dict)
    events: dict[str, list[Changed]] = field(default_factory=lambda: defaultdict(list))

    def persons(self) -> list[list[PatientKey]]:
        return [[NORTH, LAKE]] if self.are_one else [[NORTH], [LAKE]]

    def record(self, identifiers: list[PatientKey]) -> Record:
        facts = [fact for each in identifiers for fact in self.builders[each.authority].facts]
        return record_of(facts, identifiers, self.at)

    def look(self, identifiers: list[PatientKey], *, first: bool = False) -> None:
        """At everything, or at what presses."""
        names = {(each.id, each.authority) for each in identifiers}
        known = [each for each in self.kept.values() if (each.patient.id, each.patient.authority) in names]
        passed = {each.text for each in known if is_open(each)}
        record = self.record(identifiers)
        opened = {(each.row, each.subject) for each in known if is_open(each)}
        seen, waits = pressing(record, passed, opened) if first else (dangers(record, passed), frozenset())
        changed = compare(known, seen, identifiers[0], self.at, 3, waits)
        for each in changed:
            self.kept[each.concern.concern_id] = each.concern
            if each.change is not Change.REFRESHED:
                self.events[each.concern.concern_id].append(each)

    def do(self, step: tuple[str, str, int]) -> None:
        what, where, number = step
        builder = self.builders[where]
        before = len(builder.facts)
        if what in ("restate", "withdraw"):
            self.revise(what, builder, number)
        elif what in ("merge", "unmerge"):
            self.are_one = what == "merge"
        elif what == "wait":
            self.at += timedelta(days=10 * number)
        elif what in ("look", "glance"):
            self.look(self.persons()[0], first=what == "glance")
        else:
            state_fact(what, builder, number)
        for recorded in builder.facts[before:]:
            recorded.fact.fact_id = f"{where}-{len(builder.facts)}"
        self.at += timedelta(seconds=1)

    def revise(self, what: str, builder: RecordBuilder, number: int) -> None:
        """Say a fact again, or take it back."""
        if not builder.facts:
            return
        old = builder.facts[number % len(builder.facts)]
        if what == "withdraw":
            old.fact.status = FACT_STATUS_ENTERED_IN_ERROR
            return
        again = RecordedFact()
        again.CopyFrom(old)
        again.fact.fact_id = ""
        builder.add(again.fact)
        old.superseded_at.CopyFrom(again.recorded_at)


def state_fact(what: str, builder: RecordBuilder, number: int) -> None:
    """A result, or an order of a drug, of some days ago."""
    day = (START - timedelta(days=number)).date().isoformat()
    if what == "potassium":
        builder.potassium(("3.1", "4.4", "6.1", "6.7", "7.3")[number], day)
    elif what == "sodium":
        builder.result("2951-2", "Sodium", ("117", "140", "119", "160", "141")[number], "mmol/L", day)
    else:
        builder.medication(DRUGS[what], what, day)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["potassium", "sodium", *DRUGS, "restate", "withdraw", "merge", "unmerge", "wait", "look", "look", "glance"]
        ),
        st.sampled_from(["NORTH", "LAKE"]),
        st.integers(0, 4),
    ),
    max_size=14,
)


def state(concerns: list[Concern]) -> set[tuple[object, ...]]:
    return {(each.row, each.subject, each.urgency, tuple(each.supports)) for each in concerns if is_open(each)}


@settings(max_examples=60)
@given(STEPS)
def test_what_is_open_is_what_a_look_from_nothing_would_open_and_every_state_has_one_event(
    steps: list[tuple[str, str, int]],
) -> None:
    ward = Ward()
    for step in steps:
        ward.do(step)
    for _ in range(2):
        for person in ward.persons():
            ward.look(person)
    for person in ward.persons():
        seen: list[Danger] = dangers(ward.record(person))
        fresh = [each.concern for each in compare([], seen, person[0], ward.at, 3)]
        names = {(each.id, each.authority) for each in person}
        own = [each for each in ward.kept.values() if (each.patient.id, each.patient.authority) in names]
        assert state(own) == state(fresh)
        assert len(state(own)) == sum(map(is_open, own))
        assert compare(own, seen, person[0], ward.at, 3) == []
    for told in ward.events.values():
        assert [each.concern.revision for each in told] == list(range(1, len(told) + 1))
        was_open, before = False, None
        for each in told:
            assert (each.change is Change.OPENED) is not was_open
            now = (each.concern.urgency, tuple(each.concern.supports))
            assert each.change is not Change.CHANGED or now != before
            was_open, before = is_open(each.concern), now


def test_what_presses_is_told_before_the_rest_is_judged_and_the_rest_is_told_behind_it() -> None:
    ward = Ward()
    ward.do(("potassium", "NORTH", 3))
    ward.do(("sodium", "NORTH", 2))
    ward.do(("lisinopril", "NORTH", 1))
    ward.do(("ibuprofen", "NORTH", 1))
    ward.look([NORTH], first=True)
    first = {each.urgency for each in ward.kept.values()}
    assert first
    assert first <= {advice_pb2.URGENCY_CONTRAINDICATED, advice_pb2.URGENCY_URGENT}
    ward.look([NORTH])
    assert {each.urgency for each in ward.kept.values()} > first
    assert {len(told) for told in ward.events.values()} == {1}
    # What passed before waits no more.
    ward.look([NORTH], first=True)
    assert {len(told) for told in ward.events.values()} == {1}


def test_an_open_concern_that_presses_nobody_is_brought_up_to_date_while_many_wait() -> None:
    ward = Ward()
    builder = ward.builders["NORTH"]
    builder.medication(DRUGS["lisinopril"], "lisinopril", "2026-10-01")
    ward.look([NORTH])
    taken = builder.medication(DRUGS["naproxen"], "naproxen", "2026-10-01")
    ward.look([NORTH])
    again = builder.medication(DRUGS["naproxen"], "naproxen", "2026-10-05", until="2026-11-06")
    builder.supersede(taken, again, "2026-10-06")
    ward.look([NORTH], first=True)
    (after,) = (each for each in ward.kept.values() if each.row == "interactions/nsaid-raas")
    assert is_open(after)
    assert (after.urgency, after.revision) == (advice_pb2.URGENCY_IMPORTANT, 2)
    assert "2026-10-05" in after.text


def test_which_of_several_problems_a_row_shows_is_no_change() -> None:
    """Two problems of one row with one day: whichever fact id comes first is shown."""
    seen = set()
    for names in (("a", "b"), ("b", "a")):
        record = RecordBuilder(NORTH)
        for name, (code, display) in zip(names, (("I10", "Hypertension"), ("E11.9", "Type 2 diabetes")), strict=True):
            record.problem(code, display, "2026-10-01")
            record.facts[-1].fact.fact_id = name
        record.born("19600101")
        made = Record(Timeline(record.facts, [NORTH]), Context(), (), START)
        seen.add(tuple(sorted((each.row, each.subject, each.supports) for each in dangers(made))))
    assert len(seen) == 1
