"""A question is understood, what the record has on it is found, and what stands in front answers it."""

from datetime import UTC, datetime

import pytest
from consult.answering import Form, answer, inquire
from consult.answering.inquiry import in_plain_words
from consult.drafting import Drafted, draft_rules
from consult.front import CHARACTERS, MOST, put_in_front
from consult.rules import speak
from grounding import Sources, Verdict, Verifier
from practice.records import RecordBuilder

NOW = datetime(2026, 10, 7, tzinfo=UTC)
HBA1C = ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood")


def _record() -> RecordBuilder:
    record = RecordBuilder()
    record.born("1957-04-18", "F")
    record.problem("R73.03", "Prediabetes", "2015-02-03")
    record.problem("I48.91", "Atrial fibrillation", "2019-06-04")
    record.problem("J18.9", "Pneumonia", "2012-01-10", end="2012-02-10")
    record.problem("J18.9", "Pneumonia", "2018-11-20", end="2018-12-20")
    record.medication("11289", "warfarin", "2019-06-11", dose="5")
    record.medication("36567", "simvastatin", "2016-03-01", dose="10")
    record.medication("36567", "simvastatin", "2020-04-07", dose="10")
    record.medication("5640", "ibuprofen", "2014-05-06", dose="400", end="2014-06-06")
    record.allergy("7980", "Penicillin", "2001-05-09", reaction="hives")
    for value, day in (("6.1", "2015-02-03"), ("6.4", "2019-03-05"), ("5.9", "2026-08-04")):
        record.result(*HBA1C, value, "%", day)
    for value, day in (("162.27", "2016-02-02"), ("101.5", "2017-03-07"), ("118.81", "2026-08-04")):
        record.result("13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma", value, "mg/dL", day)
    record.creatinine("1.21", "2026-08-04")
    record.potassium("4.6", "2026-08-04")
    record.procedure("73761001", "Colonoscopy (procedure)", "2013-04-03")
    record.procedure("43075005", "Partial resection of colon", "2014-05-09")
    for day in ("2024-10-01", "2025-10-02"):
        record.immunization("140", "Influenza, seasonal, injectable, preservative free", day)
    return record


def _sources(record: RecordBuilder) -> Sources:
    return Sources.of(NOW, record.facts, identifiers=[record.patient])


SOURCES = _sources(_record())


def front(question: str, sources: Sources = SOURCES) -> list[Drafted]:
    rules = draft_rules(speak(sources, question), sources)
    drafted = put_in_front(answer(inquire(question, sources), sources), rules, sources, Verifier(sources))
    return [each for each in drafted if each.front]


def texts(question: str, sources: Sources = SOURCES) -> list[str]:
    return [each.rendered.text for each in front(question, sources)]


@pytest.mark.parametrize(
    ("question", "area", "form"),
    [
        ("Is she anticoagulated, and since when?", "clotting", Form.WHEN),
        ("How has her sugar been?", "diabetes", Form.COURSE),
        ("Can I start ibuprofen?", "", Form.SUITABILITY),
        ("Latest creatinine?", "kidney", Form.LAST),
        ("Has she had her flu jab?", "", Form.IMMUNISATION),
        ("What has the statin done to her cholesterol?", "lipids", Form.EFFECT),
        ("What is new since 4 March 2020?", "", Form.CHANGE),
        ("What is she allergic to?", "", Form.ALLERGY),
        ("How many times has she had pneumonia?", "pneumonia", Form.COUNT),
    ],
)
def test_a_question_is_of_an_area_and_asks_in_a_form(question: str, area: str, form: Form) -> None:
    inquiry = inquire(question, SOURCES)
    assert inquiry.asks(form)
    assert not area or area in [each.id for each in inquiry.areas]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Which blood thinners is she on?", "Warfarin 5 mg oral: ordered on 2019-06-11, not renewed since"),
        (
            "How has her HbA1c been over the years?",
            "HbA1c stayed about the same from 6.1% (2015-02-03) to 5.9% (2026-08-04); between: 6.4 (2019-03-05)",
        ),
        ("When did she have pneumonia?", "Pneumonia on 2012-01-10 and 2018-11-20"),
        ("When was the last colonoscopy?", "Colonoscopy was done on 2013-04-03"),
        (
            "Has she had a flu shot?",
            "Influenza, seasonal, injectable, preservative free was given on 2024-10-01 and 2025-10-02",
        ),
        ("May I give her amoxicillin?", "Allergy: Penicillin"),
        ("When was her last mammography?", "No mammography was found in the record"),
        ("How much insulin does she inject?", "No insulin was found in the record"),
        ("What was her highest HbA1c?", "The highest HbA1c was 6.4% on 2019-03-05"),
        ("Which fibrates has she had?", "No fibrate was found in the record"),
        ("What is she allergic to?", "Allergy: Penicillin, reaction hives, since 2001-05-09"),
        ("What is new since 4 August 2019?", "Influenza, seasonal, injectable, preservative free was given on"),
        (
            "Has she had a colonoscopy since the bowel operation?",
            "No Colonoscopy was found in the record after 2014-05-09",
        ),
    ],
)
def test_the_first_statement_answers(question: str, first: str) -> None:
    assert texts(question)[0].startswith(first), texts(question)


def test_before_a_drug_earlier_ones_of_its_class_and_tests_that_are_nowhere_are_told() -> None:
    assert any(
        "Ibuprofen 400 mg oral: ordered on 2014-05-06, stopped" in each for each in texts("May I give diclofenac?")
    )
    told = texts("May I give her lithium?")
    assert any(each.startswith("No lithium level") for each in told), told


def test_a_drug_is_told_with_its_first_and_its_last_order() -> None:
    assert any(
        "Simvastatin 10 mg oral: first ordered on 2016-03-01, last on 2020-04-07, not renewed since" in each
        for each in texts("Does she take a statin?")
    )


def test_the_effect_of_a_drug_is_told_by_the_values_before_and_behind_its_start() -> None:
    told = " ".join(texts("Did simvastatin bring her LDL down?"))
    assert "162.3 mg/dL (2016-02-02)" in told
    assert "101.5 (2017-03-07)" in told
    assert "118.8 mg/dL (2026-08-04)" in told


def test_before_a_drug_is_given_what_is_taken_beside_it_and_the_kidneys_are_told() -> None:
    told = " ".join(texts("Can I give her ibuprofen for her knee?"))
    assert "Warfarin 5 mg oral" in told
    assert "Creatinine was 1.21 mg/dL on 2026-08-04" in told
    assert "Allergy: Penicillin" in told


def test_a_false_premise_is_named_with_what_comes_nearest() -> None:
    told = texts("Which tablets does she take for her diabetes?")
    assert told[0].startswith("No diabetes was found in the record")
    assert any("No drug for diabetes" in each for each in told)
    assert any("Prediabetes since 2015-02-03" in each for each in told)


def test_an_alert_about_the_drug_that_is_asked_about_stands_first() -> None:
    record = _record()
    record.medication("723", "amoxicillin", "2026-10-01", dose="500", frequency="TID")
    told = texts("Is amoxicillin all right?", _sources(record))
    assert told[0].startswith("Amoxicillin (penicillin) was ordered on 2026-10-01")


def test_what_does_not_concern_the_question_stays_behind() -> None:
    told = " ".join(texts("How is her HbA1c?"))
    assert "arfarin" not in told
    assert "neumonia" not in told


def test_nothing_stands_in_front_of_a_question_that_is_not_understood() -> None:
    assert texts("Xyzzy plugh?") == []


QUESTIONS = (
    "How are her kidneys?",
    "Which blood thinners is she on?",
    "Can I give her ibuprofen?",
    "Did simvastatin bring her LDL down?",
    "What is new since 4 August 2010?",
    "What is she allergic to, and what does she take?",
    "Which vaccines has she had?",
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_stands_in_front_is_supported_short_and_never_said_twice(question: str) -> None:
    told = front(question)
    verifier = Verifier(SOURCES)
    rendered = [each.rendered for each in told]
    assert all(verifier.verify(each.text, each.citations).verdict is Verdict.SUPPORTED for each in rendered)
    assert len(told) <= MOST
    assert len({each.text for each in rendered}) == len(rendered)
    assert sum(len(each.text) for each in rendered[:-1]) <= CHARACTERS


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_question_of_the_same_record_in_any_order_gives_the_same_answer(question: str) -> None:
    turned = Sources.of(NOW, reversed(_record().facts), identifiers=[RecordBuilder().patient])
    assert texts(question, turned) == texts(question)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Medication list, please.", ("Warfarin 5 mg oral", "Simvastatin 10 mg oral")),
        ("List her diagnoses.", ("Atrial fibrillation since 2019-06-04", "Prediabetes since 2015-02-03")),
        ("Which operations has she had?", ("Partial resection of colon was done on 2014-05-09",)),
        ("Has she had a shingles vaccine?", ("No shingles vaccine was found in the record",)),
        ("How was her HbA1c in 2019?", ("6.4% (2019-03-05)", "5.9% (2026-08-04)")),
    ],
)
def test_everything_of_a_kind_or_of_a_time_is_told_where_it_is_asked_for(
    question: str, expected: tuple[str, ...]
) -> None:
    answered = " ".join(texts(question))
    assert all(each in answered for each in expected), answered
    assert "buprofen" not in answered


def test_which_screening_was_done_and_which_was_not_is_told() -> None:
    told = texts("Which screening is she due for?")
    assert told[0] == "Colonoscopy was done on 2013-04-03."
    assert told[1].startswith("No mammogram, bone density scan or hepatitis C antibody was found in the record"), told
    assert not any("retinal eye exam" in each for each in told)


def test_a_screening_that_is_named_is_told_alone() -> None:
    (told,) = texts("Is her mammography screening up to date?")
    assert told.startswith("No mammogram was found in the record")


def test_a_word_in_place_of_a_name_is_read_as_the_name() -> None:
    assert in_plain_words("Sats? Any CBZ?") == "oxygen saturation? Any carbamazepine?"
    assert inquire("Is a DOAC all right for her?", SOURCES).drugs


def test_what_is_missing_is_listed_in_one_statement() -> None:
    told = texts("Has she had a PSA, a mammogram or amiodarone?")
    assert told[0].startswith("No PSA, mammogram or amiodarone was found in the record"), told


def test_an_allergy_to_a_member_of_the_class_that_is_asked_about_is_told_and_not_denied() -> None:
    told = texts("May I give her an antibiotic?")
    assert told[0].startswith("Allergy: Penicillin"), told
    assert not any(each.startswith("No allergy") for each in told)


def test_beside_other_allergies_one_to_the_drug_that_is_asked_about_is_denied() -> None:
    told = texts("Can I give her ibuprofen?")
    assert any(each.startswith("No allergy to ibuprofen was found in the record") for each in told), told


def test_of_two_vaccines_that_begin_alike_the_one_that_is_named_is_missed() -> None:
    (told,) = texts("Has she had the hepatitis B jab?")
    assert told.startswith("No hepatitis B vaccine was found in the record")


def test_what_was_done_on_more_days_than_are_told_is_counted() -> None:
    record = _record()
    for year in range(2014, 2021):
        record.procedure("73761001", "Colonoscopy (procedure)", f"{year}-04-03")
    (told, *_) = texts("How many colonoscopies has she had?", _sources(record))
    assert told.startswith("Colonoscopy was done 8 times, first on 2013-04-03 and last on 2020-04-03")


def test_what_was_done_very_often_is_counted_under_the_name_that_the_question_uses() -> None:
    record = _record()
    for month in range(1, 13):
        for day in (3, 10, 17):
            record.procedure("265764009", "Renal dialysis (procedure)", f"2020-{month:02}-{day:02}")
        record.procedure("180325003", "Electrical cardioversion", f"2021-{month:02}-05")
    (told, *_) = texts("Since when is she on dialysis, and how many sessions so far?", _sources(record))
    assert told.startswith("Renal dialysis was done 36 times, first on 2020-01-03 and last on 2020-12-17")
    (told, *_) = texts("How many times has she been shocked out of AF?", _sources(record))
    assert told.startswith("Electrical cardioversion was done 12 times, first on 2021-01-05 and last on 2021-12-05")


def test_values_since_an_illness_began_go_down_to_the_lowest() -> None:
    record = _record()
    for value, day in (("93", "2012-01-29"), ("78", "2019-07-14"), ("31", "2020-03-22"), ("41", "2021-03-28")):
        record.result("33914-3", "eGFR", value, "mL/min", day)
    told = " ".join(texts("What has her eGFR done since the atrial fibrillation came up?", _sources(record)))
    assert "eGFR fell from 78 mL/min (2019-07-14) to 41 mL/min (2021-03-28); between: 31 (2020-03-22)" in told


def test_what_comes_back_is_no_back() -> None:
    asked = "She's back in with her heart. Short summary please."
    assert "pain" not in {area.id for area in inquire(asked, SOURCES).areas}
    assert "pain" in {area.id for area in inquire("Her back hurts, what helps?", SOURCES).areas}


def test_allergy_shots_are_no_vaccines() -> None:
    assert not inquire("What came of the allergy shots?", SOURCES).asks(Form.IMMUNISATION)
    assert inquire("Has she had her shots?", SOURCES).asks(Form.IMMUNISATION)


def test_what_is_there_comes_before_the_test_that_was_never_done() -> None:
    record = _record()
    record.problem("S22.3", "Fracture of rib", "2015-08-25", end="2015-10-24")
    record.medication("46041", "alendronate", "2004-11-08", dose="10")
    (first, *others) = texts("List her fractures. And since when is she on the bone tablet?", _sources(record))
    assert "Fracture of rib" in first
    assert any("bone density" in each for each in others), others


def test_a_drug_that_may_not_be_right_for_somebody_is_weighed() -> None:
    assert inquire("Is warfarin still right for her?", SOURCES).asks(Form.SUITABILITY)


def test_a_drug_that_was_stopped_since_a_day_is_new_behind_it() -> None:
    told = " ".join(texts("What is new since 20 May 2014?"))
    assert "Ibuprofen 400 mg oral: ordered on 2014-05-06, stopped on 2014-06-06" in told
    assert "Influenza" in told
    assert "Prediabetes since 2015-02-03" in told


def test_a_course_in_a_unit_that_does_not_convert_is_told_by_itself() -> None:
    record = RecordBuilder()
    for value, unit, day in (
        ("60.6", "mL/min/{1.73_m2}", "2010-04-17"),
        ("47.3", "mL/min/{1.73_m2}", "2016-06-04"),
        ("22.1", "mL/min", "2018-10-06"),
        ("14.8", "mL/min", "2023-11-04"),
    ):
        record.result("33914-3", "Glomerular filtration rate", value, unit, day)
    told = " ".join(texts("How has the eGFR changed?", _sources(record)))
    assert "22.1 mL/min (2018-10-06) to 14.8 mL/min (2023-11-04)" in told
    assert "60.6 mL/min/1.73 m2 (2010-04-17) to 47.3 mL/min/1.73 m2 (2016-06-04)" in told
