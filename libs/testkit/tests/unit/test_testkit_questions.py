"""Questions are made of what a record says, the same for the same seed; gold is what a physician would want."""

import re
from decimal import Decimal

import pytest
from longitude.record.v1 import fact_pb2 as pb
from practice.charts import chart
from practice.records import RecordBuilder
from testkit.questions import KINDS, Chart, Question, falsehoods, questions
from testkit.questions.saying import value_pattern
from testkit.questions.tables import rows, wordings

MANY = 10_000
# Every wording comes with the words of things drawn for it: as many as a kind has at least.
WORDINGS = 4


@pytest.fixture
def record() -> RecordBuilder:
    return RecordBuilder()


def asked(record: RecordBuilder, kind: str, about: str = "") -> list[Question]:
    """All questions of a kind, in which something about this is said."""
    made = [each for each in questions("1@NORTH", record.facts, 0, MANY) if each.kind == kind]
    return [each for each in made if any(about in gold.label for gold in each.gold)]


def labels(question: Question) -> set[str]:
    return {gold.label for gold in question.gold}


def test_the_same_seed_gives_the_same_questions_and_another_seed_others() -> None:
    recorded = chart(3).facts
    assert questions("C3@CHARTS", recorded, 1, 40) == questions("C3@CHARTS", recorded, 1, 40)
    assert questions("C3@CHARTS", recorded, 1, 40) != questions("C3@CHARTS", recorded, 2, 40)


def test_the_same_seed_gives_the_same_chart_and_no_entry_comes_after_the_last_day() -> None:
    assert chart(5).facts == chart(5).facts != chart(6).facts
    assert all(Chart.of("", chart(seed).facts).today <= "2026-09-01" for seed in range(20))


def test_charts_are_asked_questions_of_every_kind() -> None:
    made = [each for seed in range(8) for each in questions(f"C{seed}@CHARTS", chart(seed).facts, 0, 26)]
    assert {each.kind for each in made} == set(KINDS)
    assert all(len({each.question, *each.paraphrases}) >= WORDINGS for each in made)
    assert not [each for each in made if re.search(r"[{}]", each.question)]


def test_every_way_to_ask_has_several_wordings() -> None:
    assert {
        row["kind"]: len(wordings(row["kind"])) for row in rows("wordings") if len(wordings(row["kind"])) < WORDINGS
    } == {}


@pytest.mark.parametrize("table", ["results", "problems", "areas", "classes", "procedures", "considered", "screenings"])
def test_every_thing_has_laymens_and_physicians_words(table: str) -> None:
    assert [row["id"] for row in rows(table) if row["words"].count(";") < 2] == []


@pytest.mark.parametrize(
    "table", ["results", "problems", "classes", "procedures", "vaccines", "premises", "screenings"]
)
def test_every_pattern_can_be_read(table: str) -> None:
    for row in rows(table):
        re.compile(row.get("name") or row["drugs"])


def test_a_course_is_its_first_its_worst_and_its_last_value(record: RecordBuilder) -> None:
    for value, day in (("1.10", "2019-02-01"), ("2.31", "2021-05-04"), ("1.90", "2022-01-01"), ("1.42", "2024-03-09")):
        record.creatinine(value, day)
    (course,) = asked(record, "trend")
    assert [
        (gold.day, bool(re.search(gold.value, text)))
        for gold, text in zip(course.gold, ("1.1", "2.31", "1.4"), strict=True)
    ] == [
        ("2019-02-01", True),
        ("2021-05-04", True),
        ("2024-03-09", True),
    ]


def test_what_a_drug_did_is_the_last_value_before_it_and_the_last_of_all(record: RecordBuilder) -> None:
    for value, day in (("160", "2018-01-01"), ("171", "2019-01-01"), ("99", "2020-01-01"), ("112", "2023-01-01")):
        record.result("18262-6", "Cholesterol in LDL", value, "mg/dL", day)
    record.medication("36567", "simvastatin", "2019-03-01", dose="20")
    (answer,) = asked(record, "medication feedback")
    assert labels(answer) == {
        "first ordered simvastatin (2019-03-01)",
        "before ldl 171 (2019-01-01)",
        "last ldl 112 (2023-01-01)",
    }


def test_of_a_weight_the_childhood_is_no_part(record: RecordBuilder) -> None:
    record.born("19800101")
    for value, day in (("3.2", "1980-01-01"), ("71", "2001-01-01"), ("80", "2010-01-01"), ("78", "2020-01-01")):
        record.result("29463-7", "Body weight", value, "kg", day)
    (course,) = asked(record, "trend")
    assert {gold.day for gold in course.gold} == {"2001-01-01", "2010-01-01", "2020-01-01"}


def test_an_allergy_to_a_drug_is_a_matter_of_safety_and_one_to_pollen_is_not(record: RecordBuilder) -> None:
    record.allergy("764146007", "Penicillin", "2010-01-01", reaction="hives")
    record.allergy("256277009", "Grass pollen", "2010-01-01")
    everything = next(each for each in asked(record, "allergy") if len(each.gold) == 2)
    assert [(gold.label, gold.safety) for gold in everything.gold] == [
        ("allergy: penicillin", True),
        ("allergy: grass pollen", False),
    ]


def test_before_a_drug_of_an_allergic_class_the_allergy_comes_first_and_must_be_said(record: RecordBuilder) -> None:
    record.allergy("764146007", "Penicillin", "2010-01-01", reaction="hives")
    amoxicillin = next(each for each in asked(record, "suitability") if "amoxicillin" in each.topic)
    assert amoxicillin.gold[0].label == "allergy: penicillin"
    assert amoxicillin.gold[0].safety


def test_before_a_painkiller_one_hears_the_blood_thinner_the_kidneys_and_their_newest_values(
    record: RecordBuilder,
) -> None:
    record.medication("11289", "warfarin", "2020-01-01", dose="5")
    record.problem("N18.31", "Chronic kidney disease, stage 3a", "2019-01-01")
    record.creatinine("1.4", "2020-01-01")
    record.creatinine("1.9", "2024-01-01")
    ibuprofen = next(each for each in asked(record, "suitability") if "ibuprofen" in each.topic)
    assert labels(ibuprofen) == {
        "warfarin, last ordered 2020-01-01",
        "since chronic kidney disease, stage 3a (2019-01-01)",
        "last creatinine 1.9 (2024-01-01)",
        "no allergy to it recorded",
    }
    assert [gold.label for gold in ibuprofen.gold if gold.safety] == ["warfarin, last ordered 2020-01-01"]


def test_what_is_taken_is_told_by_its_newest_order_and_what_was_stopped_as_stopped(record: RecordBuilder) -> None:
    record.medication("36567", "simvastatin", "2018-01-01", end="2020-01-01")
    record.creatinine("1.0", "2024-01-01")
    (stopped,) = asked(record, "medication reconciliation", "simvastatin")
    assert [gold.label for gold in stopped.gold] == ["simvastatin is stopped (2020-01-01)"]
    record.medication("36567", "simvastatin", "2021-01-01")
    (taken,) = asked(record, "medication reconciliation", "simvastatin")
    assert (taken.gold[0].day, taken.gold[0].or_days) == ("2021-01-01", ("2018-01-01",))


def test_nothing_is_taken_for_granted_that_is_so(record: RecordBuilder) -> None:
    record.medication("6809", "metformin", "2020-01-01")
    record.problem("E11.9", "Type 2 diabetes mellitus", "2019-01-01")
    premises = {gold.label for each in asked(record, "false premise") for gold in each.gold}
    assert "no metformin recorded" not in premises
    assert "no diabetes recorded" not in premises
    assert {"no insulin recorded", "since type 2 diabetes mellitus (2019-01-01)", "no gout recorded"} <= premises


def test_what_was_done_is_not_asked_for_as_never_done(record: RecordBuilder) -> None:
    record.procedure("73761001", "Colonoscopy", "2015-05-05")
    record.procedure("73761001", "Colonoscopy", "2021-05-05")
    assert asked(record, "absence", "colonoscopy") == []
    days = {tuple(gold.day for gold in each.gold) for each in asked(record, "when first/last")}
    assert days == {("2021-05-05", "2015-05-05"), ("2021-05-05",)}


def test_a_vaccine_is_its_last_dose_or_that_there_is_none(record: RecordBuilder) -> None:
    record.immunization("140", "Influenza, seasonal", "2022-10-01")
    record.immunization("140", "Influenza, seasonal", "2023-10-01")
    answers = {label for each in asked(record, "immunisation") for label in labels(each)}
    assert "last dose influenza, seasonal (2023-10-01)" in answers
    assert "last dose influenza, seasonal (2022-10-01)" not in answers
    assert "no tetanus vaccination recorded" in answers


def test_screening_is_asked_of_whom_it_is_for(record: RecordBuilder) -> None:
    record.born("19600101", "M")
    record.creatinine("1.0", "2024-01-01")
    assert {label for each in asked(record, "screening") for label in labels(each)} == {"no colon screening recorded"}


def test_news_began_after_the_day_and_are_no_trifles(record: RecordBuilder) -> None:
    for year in range(2014, 2024):
        record.encounter("ambulatory", f"{year}-06-01", f"{year}-06-01")
    record.problem("I10", "Essential hypertension", "2014-06-01")
    record.problem("E11.9", "Type 2 diabetes mellitus", "2023-06-01")
    record.medication("6809", "metformin", "2023-06-01")
    record.procedure("225362009", "Dental care", "2023-06-01")
    assert {label for each in asked(record, "change") for label in labels(each)} == {
        "new type 2 diabetes mellitus (2023-06-01)",
        "new metformin (2023-06-01)",
    }


def test_gold_rests_on_nothing_that_was_replaced_or_read_from_a_text(record: RecordBuilder) -> None:
    old = record.problem("I10", "Essential hypertension", "2014-06-01")
    new = record.problem("I10", "Essential hypertension", "2012-06-01")
    record.supersede(old, new, "2020-01-01")
    record.facts[1].fact.provenance = pb.PROVENANCE_READ_FROM_TEXT
    assert asked(record, "when first/last") == []


@pytest.mark.parametrize(
    ("value", "written", "is_it"),
    [
        ("1.0845", "1.08", True),
        ("1.0845", "1.1 on", True),
        ("1.0845", "1.0845", True),
        ("1.0845", "1.09", False),
        ("1.0845", "11.08", False),
        ("6", "6.0", True),
        ("6", "65", False),
        ("6", "6.5", False),
        ("154.7", "155", True),
        ("154.7", "154", False),
        ("98.3", "98", False),
        ("-3.72", "-3.7", True),
        ("0.5", "0.50", True),
    ],
)
def test_a_value_is_known_as_a_person_writes_it(value: str, written: str, is_it: bool) -> None:  # noqa: FBT001
    assert bool(re.search(value_pattern(Decimal(value)), f"was {written}")) is is_it


def test_what_has_ended_is_false_as_active_and_true_as_ended(record: RecordBuilder) -> None:
    record.medication("6809", "metformin", "2018-01-01", end="2020-01-01")
    record.problem("E11.9", "Type 2 diabetes mellitus", "2016-01-01")
    record.problem("E11.9", "Type 2 diabetes mellitus", "2019-01-01")
    record.creatinine("1.0", "2024-01-01")
    known = falsehoods(Chart.of("1@NORTH", record.facts))

    def false(text: str) -> list[bool]:
        return [each.first for each in known if re.search(each.pattern, text, re.IGNORECASE)]

    assert false("Metformin 500 mg, active since 2018-01-01.") == [False]
    assert false("Metformin 500 mg, ended on 2020-01-01, was active.") == []
    assert false("Type 2 diabetes mellitus, active since 2019-01-01.") == [True]
    assert false("Type 2 diabetes mellitus, active since 2016-01-01.") == []
