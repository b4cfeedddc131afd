"""What nobody stated is not told and not supported: starts, ends, times, other organisms, other people's doses."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from grounding import Sources, Statement, Verdict, Verifier, render
from grounding.kinds import allergy, change, latest, medication, problem, trend
from hypothesis import given, settings
from hypothesis import strategies as st
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.fact_pb2 import Dosage, Quantity
from practice.records import RecordBuilder, stamp

Say = Callable[[Sources, str], Statement]
TODAY = "2026-10-07"
DAYS = st.dates(date(1950, 1, 1), date(2026, 10, 6))
OTHER_DAYS = st.integers(-4000, 4000).filter(bool)


def sources_of(record: RecordBuilder) -> Sources:
    return Sources.of(datetime(2026, 10, 7, tzinfo=UTC), record.facts, identifiers=[record.patient])


def told(record: RecordBuilder, say: Say, fact_id: str) -> str:
    """The statement in words, which is verified when it is read back."""
    sources = sources_of(record)
    rendered = render(say(sources, fact_id), sources)
    verified = Verifier(sources).verify(rendered.text, rendered.citations)
    assert verified.verdict is Verdict.SUPPORTED, (rendered.text, verified.reason)
    assert Verifier(sources).verify_uncited(rendered.text).verdict is Verdict.SUPPORTED, rendered.text
    return rendered.text


def verdict(record: RecordBuilder, text: str) -> Verdict:
    return Verifier(sources_of(record)).verify_uncited(text).verdict


def test_each_state_of_an_order_has_words_of_its_own() -> None:
    record = RecordBuilder()
    drug = ("6809", "metformin")
    states = {
        record.medication(*drug, "1995-03-02", dose="500"): "ordered on 1995-03-02",
        record.medication(*drug, "", stated="2024-05-06", dose="850"): "ordered on 2024-05-06, not renewed since",
        record.medication(
            "29046", "lisinopril", "2026-09-01", until="2026-12-01"
        ): "active since 2026-09-01 until 2026-12-01",
        record.medication("29046", "lisinopril", "2026-01-01", until="2026-04-01"): "stopped on 2026-04-01",
        record.medication("17767", "amlodipine", "2026-12-24"): "ordered, from 2026-12-24",
        record.medication("7258", "naproxen", "2026-10-06", ordered=True): "ordered on 2026-10-06",
        record.medication("723", "amoxicillin", "2025-02-10", end="2025-02-14"): "stopped on 2025-02-14",
    }
    for fact_id, state in states.items():
        assert told(record, medication.statement, fact_id).rstrip(".").endswith(f": {state}")


@settings(deadline=None)
@given(DAYS, OTHER_DAYS, st.booleans())
def test_an_order_without_an_end_is_told_by_its_day_and_by_no_other_state(day: date, off: int, start: bool) -> None:  # noqa: FBT001
    record = RecordBuilder()
    fact_id = record.medication("6809", "metformin", str(day) if start else "", stated=str(day), dose="500")
    assert told(record, medication.statement, fact_id) == f"Metformin 500 mg oral: ordered on {day}, not renewed since."
    for text in (
        f"Metformin 500 mg is active since {day}.",
        f"Takes metformin since {day}.",
        f"Metformin since {day.year}.",
        f"Metformin, active since {day}, not renewed since.",
        f"Metformin was ordered on {day + timedelta(days=off)}.",
        f"Metformin was stopped on {day}.",
        "Metformin is on hold.",
    ):
        assert verdict(record, text) is not Verdict.SUPPORTED, text


def test_an_order_is_not_renewed_only_where_none_followed() -> None:
    record = RecordBuilder()
    first = record.medication("6809", "metformin", "2019-04-01", dose="500")
    record.medication("6809", "metformin", "2026-09-01", until="2026-12-01", dose="500")
    assert told(record, medication.statement, first) == "Metformin 500 mg oral: ordered on 2019-04-01."
    assert verdict(record, "Metformin was ordered in 2019 and not renewed since.") is not Verdict.SUPPORTED


def test_an_order_on_hold_is_neither_stopped_nor_taken() -> None:
    record = RecordBuilder()
    fact_id = record.medication("6809", "metformin", "2024-03-12", end="2026-10-05")
    record.facts[-1].fact.note = "on hold"
    assert told(record, medication.statement, fact_id) == "Metformin: on hold since 2026-10-05."
    for text in ("Metformin was stopped on 2026-10-05.", "Takes metformin.", "Metformin: on hold since 2024-03-12."):
        assert verdict(record, text) is not Verdict.SUPPORTED, text


@settings(deadline=None)
@given(DAYS, OTHER_DAYS)
def test_a_start_that_nobody_stated_is_told_so(day: date, off: int) -> None:
    record = RecordBuilder()
    ids = {
        problem.statement: record.problem("E11.9", "Type 2 diabetes mellitus", "", stated=str(day)),
        allergy.statement: record.allergy("764146007", "Penicillin", "", reaction="hives", stated=str(day)),
    }
    # What began on that day is something else.
    record.problem("I10", "Essential hypertension", str(day))
    for say, fact_id in ids.items():
        text = told(record, say, fact_id)
        assert text.endswith(f", recorded on {day}, start not stated.")
        moved = str(day + timedelta(days=off))
        assert verdict(record, text.replace(str(day), moved)) is not Verdict.SUPPORTED
        assert verdict(record, text.replace(", recorded on", " since")) is not Verdict.SUPPORTED
    assert verdict(record, f"Type 2 diabetes mellitus since {day.year}.") is not Verdict.SUPPORTED
    assert verdict(record, "Essential hypertension, start not stated.") is not Verdict.SUPPORTED


def test_a_restated_problem_was_recorded_when_it_was_first_stated() -> None:
    record = RecordBuilder()
    first = record.problem("E11.9", "Type 2 diabetes mellitus", "", stated="2019-05-06")
    again = record.problem("E11.9", "Type 2 diabetes mellitus", "", stated="2026-10-05")
    record.supersede(first, again, "2026-10-05")
    assert "recorded on 2019-05-06" in told(record, problem.statement, again)


@settings(deadline=None)
@given(DAYS)
def test_a_result_of_no_stated_time_is_told_by_its_report(day: date) -> None:
    record = RecordBuilder()
    fact_id = record.result("2823-3", "Potassium", "5.6", "mmol/L", "", stated=str(day))
    expected = f"Potassium was 5.6 mmol/L (reported on {day}, time not stated)."
    assert told(record, latest.statement, fact_id).lower() == expected.lower()
    assert verdict(record, f"Potassium was 5.6 mmol/L on {day}.") is not Verdict.SUPPORTED


def test_a_course_has_only_values_of_a_stated_time() -> None:
    record = RecordBuilder()
    ids = [
        record.potassium("4.1", "2025-01-01"),
        record.result("2823-3", "Potassium", "5.6", "mmol/L", "", stated="2026-01-01"),
    ]
    with pytest.raises(ValueError, match="dated"):
        trend.statement(sources_of(record), ids)
    assert change.statement(sources_of(record), ids).fact_ids == (ids[1],)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=500).filter(lambda text: any(map(str.isalnum, text))))
def test_a_comment_stands_beside_its_value_whatever_it_holds(comment: str) -> None:
    record = RecordBuilder()
    day = "2026-10-05"
    fact_id = record.result("2823-3", "Potassium", "6.9", "mmol/L", day, comments=[comment, "haemolysed"])
    text = told(record, latest.statement, fact_id)
    assert f"6.9 mmol/L on {day} (comment of the laboratory: “" in text
    assert "“haemolysed”)." in text


def test_a_comment_is_not_told_of_another_value() -> None:
    record = RecordBuilder()
    record.potassium("4.3", "2024-03-12")
    record.result("2823-3", "Potassium", "6.9", "mmol/L", "2026-10-05", comments=["haemolysed"])
    record.creatinine("1.2", "2026-10-05")
    said = "(comment of the laboratory: “haemolysed”)."
    assert verdict(record, f"Potassium was 6.9 mmol/L on 2026-10-05 {said}") is Verdict.SUPPORTED
    for text in ("Potassium was 4.3 mmol/L on 2024-03-12", "Creatinine was 1.2 mg/dL on 2026-10-05"):
        assert verdict(record, f"{text} {said}") is Verdict.CONTRADICTED
    assert verdict(record, "Potassium was 6.9 mmol/L (comment: “lipaemic”).") is Verdict.CONTRADICTED


INTERPRETATIONS = {"S": "susceptible", "I": "intermediate", "R": "resistant"}


@settings(deadline=None)
@given(st.sampled_from("SIR"), st.sampled_from("SIR"), st.sampled_from("SIR"))
def test_a_susceptibility_supports_nothing_of_another_organism_or_drug(one: str, other: str, drug: str) -> None:
    record = RecordBuilder()
    ids = (
        record.susceptibility("Escherichia coli", "Ampicillin", one, "2026-10-05"),
        record.susceptibility("Klebsiella pneumoniae", "Ampicillin", other, "2026-10-05"),
    )
    record.susceptibility("Escherichia coli", "Ciprofloxacin", drug, "2026-10-05")
    for fact_id, organism, letter in zip(ids, ("Escherichia coli", "Klebsiella pneumoniae"), (one, other), strict=True):
        text = told(record, latest.statement, fact_id)
        assert text == f"Ampicillin, {organism} was {letter} on 2026-10-05."
        short = organism if organism[0] == "K" else "E. coli"
        for said, spelled in INTERPRETATIONS.items():
            expected = said == letter
            for words in (f"Ampicillin, {organism}: {said}.", f"{short}: ampicillin {spelled}."):
                assert (verdict(record, words) is Verdict.SUPPORTED) is expected, words
    assert verdict(record, f"Ampicillin: {one}.") is not Verdict.SUPPORTED


@pytest.mark.parametrize("severity", ["severe", "moderate", "mild", ""])
def test_how_severe_an_allergy_is_is_told_as_stated(severity: str) -> None:
    record = RecordBuilder()
    fact_id = record.allergy("764146007", "Penicillin", "2025-02-14", reaction="hives", severity=severity)
    told_so = f"reaction hives, {severity}, since" if severity else "reaction hives, since"
    assert told_so in told(record, allergy.statement, fact_id)
    for word in {"severe", "moderate", "mild"} - {severity}:
        assert verdict(record, f"Allergy: penicillin, reaction hives, {word}.") is not Verdict.SUPPORTED


def dosed(*dosages: Dosage) -> tuple[RecordBuilder, str]:
    record = RecordBuilder()
    fact_id = record.medication("274783", "insulin glargine", "2026-10-01")
    fact = record.facts[-1].fact
    fact.dosage.CopyFrom(dosages[0])
    fact.further_dosages.extend(dosages[1:])
    return record, fact_id


def dosage(value: int, high: int = 0, unit: str = "{tbl}", frequency: str = "") -> Dosage:
    upper = Quantity(value=str(high), unit=unit) if high else None
    return Dosage(dose=Quantity(value=str(value), unit=unit), dose_high=upper, frequency=frequency)


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 9))
def test_a_range_of_doses_is_told_whole(low: int, more: int) -> None:
    record, fact_id = dosed(dosage(low, low + more, frequency="as needed"))
    text = told(record, medication.statement, fact_id)
    assert f"{low} to {low + more} " in text
    for wrong in (f"{low} tablet", f"{low + more} tablet", f"{low} to {low + more + 1} tablet"):
        assert verdict(record, f"Insulin glargine {wrong}.") is not Verdict.SUPPORTED


def test_each_of_several_doses_keeps_its_own_time() -> None:
    morning, night = dosage(10, unit="[IU]", frequency="in the morning"), dosage(20, unit="[IU]", frequency="at night")
    record, fact_id = dosed(morning, night)
    text = told(record, medication.statement, fact_id)
    assert "10 IU in the morning, 20 IU at night" in text
    for wrong in ("20 IU in the morning", "10 IU at night", "10 IU at night, 20 IU in the morning", "30 IU at night"):
        assert verdict(record, f"Insulin glargine {wrong}.") is not Verdict.SUPPORTED, wrong


def test_the_steps_of_a_taper_keep_their_days() -> None:
    steps = [dosage(40, unit="mg"), dosage(20, unit="mg")]
    for step, (first, last) in zip(steps, (("2026-10-01", "2026-10-04"), ("2026-10-04", "2026-10-08")), strict=True):
        step.valid_from.CopyFrom(stamp(first))
        step.valid_to.CopyFrom(stamp(last))
    record, fact_id = dosed(*steps)
    assert "40 mg from 2026-10-01 until 2026-10-04, 20 mg from 2026-10-04" in told(
        record, medication.statement, fact_id
    )
    assert verdict(record, "Insulin glargine 20 mg from 2026-10-01.") is not Verdict.SUPPORTED


def test_what_a_message_says_of_a_whole_history_is_one_history() -> None:
    """The first statement with the same dose says when an order was given; one with another dose does not."""
    record = RecordBuilder()
    ids = [
        record.medication("6809", "metformin", "", stated=day, dose=dose)
        for day, dose in (("2019-01-01", "500"), ("2020-01-01", "1000"), ("2021-01-01", "1000"))
    ]
    for old, new, day in zip(ids, ids[1:], ("2020-01-01", "2021-01-01"), strict=False):
        record.supersede(old, new, day)
    assert told(record, medication.statement, ids[-1]).endswith("ordered on 2020-01-01, not renewed since.")
    assert all(each.fact.status == clinical.FACT_STATUS_ACTIVE for each in record.facts)


def test_a_drug_that_is_ordered_again_is_not_told_as_new() -> None:
    record = RecordBuilder()
    first = record.medication("6809", "metformin", "2024-03-12", dose="1000")
    again = record.medication("6809", "metformin", "", stated="2026-10-05", dose="1000")
    assert told(record, lambda sources, each: change.statement(sources, [each]), first).startswith("New: metformin")
    assert told(record, lambda sources, each: change.statement(sources, [each]), again) == (
        "Recorded again: metformin (ordered on 2026-10-05, start not stated)."
    )
