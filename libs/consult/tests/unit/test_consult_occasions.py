"""What a question asks for without a name: a complaint, what is to be done, a time, a reason, what is watched."""

from datetime import UTC, date, datetime

import pytest
from consult.answering import Form, answer, inquire
from consult.answering.misspelt import mended
from consult.answering.spoken_times import spans
from consult.drafting import draft_rules
from consult.front import put_in_front
from consult.rules import speak
from grounding import Sources, Verifier
from practice.records import RecordBuilder

NOW = datetime(2026, 10, 7, tzinfo=UTC)
TODAY = NOW.date()


def _record() -> RecordBuilder:
    record = RecordBuilder()
    record.born("1950-02-11", "F")
    record.problem("D50.9", "Iron deficiency anemia, unspecified", "2018-03-05")
    record.problem("M81.0", "Age-related osteoporosis", "2017-06-01")
    record.problem("N39.0", "Urinary tract infection", "2024-05-06", end="2024-05-20")
    record.problem("Z60.2", "Problems related to living alone", "2020-01-09")
    record.problem("Z56.0", "Unemployment, unspecified", "2021-04-01")
    record.medication("11289", "warfarin", "2019-06-11", dose="5")
    record.medication("46041", "alendronate", "2017-07-01", dose="10")
    record.medication("10582", "levothyroxine", "2016-02-03", dose="0.05")
    record.medication("24947", "ferrous sulfate", "2018-03-12", dose="325")
    record.medication("7454", "nitrofurantoin", "2024-05-06", dose="100", end="2024-05-20")
    record.medication("36567", "simvastatin", "2015-03-01", dose="20", end="2019-02-04")
    record.medication("83367", "atorvastatin", "2019-02-04", dose="40")
    record.allergy("7980", "Penicillin", "2001-05-09", reaction="hives")
    for value, day in (("11.2", "2018-03-05"), ("12.9", "2025-11-03"), ("10.4", "2026-09-02")):
        record.result("718-7", "Hemoglobin [Mass/volume] in Blood", value, "g/dL", day)
    for value, day in (("2.4", "2025-11-03"), ("2.5", "2026-09-02")):
        record.result("6301-6", "INR in Platelet poor plasma by Coagulation assay", value, "{INR}", day)
    record.potassium("4.6", "2026-09-02")
    record.procedure("430193006", "Medication reconciliation (procedure)", "2022-01-10")
    record.procedure("430193006", "Medication reconciliation (procedure)", "2023-08-04")
    record.procedure("116859006", "Transfusion of blood product", "2021-06-15")
    record.immunization("113", "Td (adult) preservative free", "2022-10-22")
    record.immunization("33", "pneumococcal polysaccharide PPV23", "2019-08-19")
    return record


SOURCES = Sources.of(NOW, _record().facts, identifiers=[_record().patient])


def texts(question: str) -> list[str]:
    rules = draft_rules(speak(SOURCES, question), SOURCES)
    drafted = put_in_front(answer(inquire(question, SOURCES), SOURCES), rules, SOURCES, Verifier(SOURCES))
    return [each.rendered.text for each in drafted if each.front]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("She feels drained, why might that be?", ("Haemoglobin", "Iron deficiency anemia")),
        ("Will she bruise easily?", ("Warfarin", "INR")),
        ("Does anybody live with her?", ("Problems related to living alone since 2020-01-09",)),
        ("Has she got a job?", ("Unemployment, unspecified since 2021-04-01",)),
        ("Who went through her boxes last?", ("Medication reconciliation was done on 2022-01-10 and 2023-08-04",)),
        ("Was she ever transfused?", ("Transfusion of blood product was done on 2021-06-15",)),
    ],
)
def test_an_occasion_brings_what_is_looked_at(question: str, expected: tuple[str, ...]) -> None:
    answered = " ".join(texts(question))
    assert all(each in answered for each in expected), answered


def test_circumstances_stand_beside_no_illness() -> None:
    assert not any("living alone" in each or "Unemployment" in each for each in texts("How is her anaemia?"))


def test_a_complaint_itself_is_not_said_to_be_missing() -> None:
    assert not any(each.startswith("No ") for each in texts("She is dizzy. Anything known?"))


def test_a_procedure_of_an_occasion_that_was_not_done_is_said_to_be_missing() -> None:
    assert texts("Any tracing of her heart?")[0].startswith("No electrocardiography was found in the record")


def test_words_within_a_longer_word_of_another_area_do_not_count() -> None:
    assert [each.id for each in inquire("tracing of the heart", SOURCES).areas] == ["electrocardiography"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What was nitrofurantoin for?", "Urinary tract infection from 2024-05-06 to 2024-05-20"),
        ("What was her bladder infection in 2024 treated with?", "Nitrofurantoin 100 mg"),
        ("Why did the simvastatin end?", "Atorvastatin 40 mg"),
    ],
)
def test_the_day_says_why_a_drug_was_given_and_what_came_after_it(question: str, expected: str) -> None:
    assert expected in " ".join(texts(question))


def test_drugs_that_are_watched_are_told_with_the_newest_values() -> None:
    told = " ".join(texts("Which of these tablets need blood monitoring?"))
    assert "Warfarin" in told
    assert "INR was 2.5 on 2026-09-02" in told


def test_drugs_that_meet_each_other_are_told_by_the_row_of_either() -> None:
    told = " ".join(texts("Are there interactions among her medicines?"))
    assert "Levothyroxine" in told


def test_beside_warfarin_any_drug_that_is_considered_brings_the_inr() -> None:
    assert "INR was 2.5" in " ".join(texts("May she have doxycycline?"))


def test_every_vaccination_is_told_where_none_is_named() -> None:
    told = " ".join(texts("Which shots did she get?"))
    assert "Td (adult)" in told
    assert "PPV23" in told


def test_what_happened_in_a_time_is_told_and_nothing_else() -> None:
    told = " ".join(texts("What happened in May 2024?"))
    assert "Urinary tract infection" in told
    assert "Nitrofurantoin" in told
    assert "Warfarin" not in told


def test_of_the_values_of_a_time_those_that_moved_the_most_come_first() -> None:
    assert texts("How did the labs move since November 2025?")[0].startswith("Haemoglobin")


def test_checks_that_come_again_and_are_long_ago_are_told_with_what_is_due() -> None:
    assert "Medication reconciliation" in " ".join(texts("What is overdue?"))


def test_a_screening_that_is_not_asked_for_is_not_said_to_be_missing() -> None:
    assert not any("mammogram" in each for each in texts("When was she screened for low mood?"))


@pytest.mark.parametrize(
    ("question", "considers"),
    [
        ("Doxycycline - which of her tablets get in the way?", True),
        ("Is she still taking simvastatin?", False),
        ("Why was simvastatin begun?", False),
    ],
)
def test_a_drug_that_was_never_ordered_is_considered(question: str, *, considers: bool) -> None:
    assert inquire(question, SOURCES).asks(Form.SUITABILITY) is considers


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("haemoglobn?", "haemoglobin?"),
        ("the alendornate", "the alendronate"),
        ("warfarins", "warfarins"),
        ("prednisone", "prednisone"),
        ("iron", "iron"),
    ],
)
def test_only_a_word_that_means_nothing_and_misses_one_of_the_record_by_a_letter_is_read_as_it(
    written: str, read: str
) -> None:
    assert mended(written, ["Haemoglobin", "alendronate", "warfarin", "prednisolone", "irons"], [], TODAY) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("the chlorphen", "the chlorpheniramine"),
        ("methotrex?", "methotrexate?"),
        ("done", "done"),
        ("predni", "predni"),
        ("chlorp", "chlorpheniramine"),
    ],
)
def test_the_beginning_of_one_drug_is_read_as_the_drug_that_of_several_is_not(written: str, read: str) -> None:
    assert mended(written, [], ["Chlorpheniramine", "Donepezil"], TODAY) == read


@pytest.mark.parametrize(
    ("words", "span"),
    [
        ("in autumn 2019", (date(2019, 9, 1), date(2019, 11, 30))),
        ("last winter", (date(2025, 12, 1), date(2026, 2, 28))),
        ("this year", (date(2026, 1, 1), date(2026, 12, 31))),
        ("since october last year", (date(2025, 10, 1), date(2025, 10, 31))),
        ("compared with last december", (date(2025, 12, 1), date(2025, 12, 31))),
        ("since new year s", (date(2025, 12, 31), date(2025, 12, 31))),
    ],
)
def test_a_time_without_a_date_is_read(words: str, span: tuple[date, date]) -> None:
    assert list(spans(words, TODAY)) == [span]


@pytest.mark.parametrize("words", ["did she fall", "spring onions", "a year ago"])
def test_what_is_no_time_is_not_read_as_one(words: str) -> None:
    assert list(spans(words, TODAY)) == []
