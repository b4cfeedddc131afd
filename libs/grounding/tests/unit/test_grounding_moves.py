"""Courses in any order of words, and what is added to a value: each with one thing changed."""

from datetime import UTC, datetime
from functools import cache

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from practice.records import RecordBuilder

TODAY = datetime(2026, 10, 7, tzinfo=UTC)
LDL = (("120", "2018-03-05"), ("180", "2020-05-04"), ("90", "2022-06-06"), ("110", "2025-09-08"))
HBA1C = (("5.8", "2018-03-05"), ("5.9", "2022-06-06"), ("6.1", "2023-06-05"), ("6.4", "2025-09-08"))
WEIGHT = (("80", "2018-03-05"), ("74", "2022-06-06"), ("74.2", "2023-06-05"), ("74.1", "2025-09-08"))


@cache
def record() -> Record:
    made = RecordBuilder()
    made.born("1957-04-18")
    for value, day in LDL:
        made.result("18262-6", "LDL cholesterol", value, "mg/dL", day)
        made.result("2085-9", "HDL cholesterol", "40", "mg/dL", day)
    for value, day in HBA1C:
        made.result("4548-4", "Hemoglobin A1c", value, "%", day)
    for value, day in WEIGHT:
        made.result("29463-7", "Body weight", value, "kg", day)
    for value, day in (("17", "2019-02-04"), ("3", "2021-03-08"), ("3", "2023-03-06")):
        made.result("44261-6", "PHQ-9", value, "{score}", day)
    made.result("39156-5", "Body mass index", "27.4", "kg/m2", "2025-09-08")
    made.result("8302-2", "Body height", "165", "cm", "2025-09-08")
    sources = Sources.of(TODAY, made.facts, identifiers=[made.patient])
    return Record(sources, sources.current)


# A true sentence, and the same with one thing changed.
SENTENCES = (
    (
        "The most recent HbA1c, recorded on 8 September 2025, was 6.4 %, up from 6.1 % in June 2023.",
        "The most recent HbA1c, recorded on 8 September 2025, was 6.4 %, down from 6.1 % in June 2023.",
    ),
    (
        "HbA1c was 6.4 % in September 2025, compared with 6.1 % in June 2023.",
        "HbA1c was 6.4 % in September 2025, compared with 6.1 % in June 2022.",
    ),
    (
        "HbA1c was 6.4 % in September 2025, up from a previous value of 6.1 %.",
        "HbA1c was 6.4 %, up from a previous 5.9 %.",
    ),
    (
        "LDL has come down over the years, from 180 mg/dL in 2020 to 110 mg/dL in 2025.",
        "LDL has come down over the years, from 180 mg/dL in 2020 to 110 mg/dL in 2022.",
    ),
    (
        "LDL fell, over two years, to 90 mg/dL from 180 mg/dL.",
        "LDL fell, over four years, to 90 mg/dL from 180 mg/dL.",
    ),
    (
        "HbA1c has climbed from 5.8 % in 2018 through 5.9 % in 2022 to 6.4 % in 2025.",
        "HbA1c has climbed from 5.8 % in 2018 through 6.1 % in 2022 to 6.4 % in 2025.",
    ),
    (
        "HbA1c rose from 5.8 to 5.9, 6.1 and finally 6.4 %.",
        "HbA1c rose from 5.8 to 6.1, 5.9 and finally 6.4 %.",
    ),
    (
        "There has been a steady rise in HbA1c from 5.8 % to 6.4 %.",
        "There has been a steady rise in LDL from 120 mg/dL to 110 mg/dL.",
    ),
    (
        "HbA1c shows an upward trend since 2018.",
        "HbA1c shows a downward trend since 2018.",
    ),
    (
        "LDL halved between 2020 and 2022.",
        "LDL nearly doubled between 2020 and 2022.",
    ),
    (
        "LDL was twice as high in 2020 (180) as in 2022 (90).",
        "LDL was twice as high in 2020 (180) as in 2025 (110).",
    ),
    (
        "Weight was 6 kg higher in 2018 than in 2022.",
        "Weight was 8 kg higher in 2018 than in 2022.",
    ),
    (
        "The latest HbA1c is higher than the previous one.",
        "The latest HbA1c is lower than the previous one.",
    ),
    (
        "HbA1c first exceeded 6 % in June 2023.",
        "HbA1c first exceeded 6 % in September 2025.",
    ),
    (
        "After peaking at 180 mg/dL in 2020, LDL fell to 90 mg/dL in 2022.",
        "After peaking at 120 mg/dL in 2018, LDL fell to 90 mg/dL in 2022.",
    ),
    (
        "LDL, which was 180 mg/dL in 2020, is now 110 mg/dL.",
        "LDL, which was 120 mg/dL in 2020, is now 110 mg/dL.",
    ),
    (
        "Weight has been stable at the last three checks.",
        "Weight has been stable at the last four checks.",
    ),
    (
        "Across four measurements, LDL ranged from 90 to 180 mg/dL.",
        "Across five measurements, LDL ranged from 90 to 180 mg/dL.",
    ),
    (
        "PHQ-9 was 17 in February 2019 and 3 at each later screening.",
        "PHQ-9 was 17 in February 2019 and 4 at each later screening.",
    ),
    (
        "The highest LDL is 180 mg/dL, from May 2020, and it has not reached that level since.",
        "The first LDL is 120 mg/dL, from March 2018, and it has not reached that level since.",
    ),
    (
        "Her BMI is 27.4 kg/m2, which is in the overweight range.",
        "Her BMI is 27.4 kg/m2, which is in the underweight range.",
    ),
    (
        "LDL was above 115 mg/dL on two occasions.",
        "LDL was above 115 mg/dL on three occasions.",
    ),
    (
        "Only one LDL value was above 150 mg/dL.",
        "Only one LDL value was above 115 mg/dL.",
    ),
    (
        "The last lipid panel was done in September 2025.",
        "The last lipid panel was done in June 2022.",
    ),
    (
        "Four lipid panels have been recorded between 2018 and 2025.",
        "Three lipid panels have been recorded between 2018 and 2025.",
    ),
    (
        "Of the four lipid panels, the one from 2022 had the lowest LDL.",
        "Of the four lipid panels, the one from 2025 had the lowest LDL.",
    ),
    (
        "LDL was just under 111 mg/dL in September 2025.",
        "LDL was just over 111 mg/dL in September 2025.",
    ),
    (
        "HbA1c was 5.9 % in June 2022 and 6.1 % a year later.",
        "HbA1c was 5.9 % in June 2022 and 6.1 % three years later.",
    ),
    (
        "LDL fell from 180 mg/dL in 2020 to 90 in 2022, while HbA1c rose from 5.8 to 5.9 % between 2018 and 2022.",
        "LDL fell from 180 mg/dL in 2020 to 90 in 2022, while HbA1c rose from 5.8 to 5.9 % over the same period.",
    ),
    (
        "LDL rose from 120 in 2018 to 180 mg/dL in 2020, an increase of 50 %.",
        "LDL rose from 120 in 2018 to 180 mg/dL in 2020, an increase of 40 %.",
    ),
    (
        "The lowest LDL is 90 mg/dL (June 2022) and the highest 180 mg/dL (May 2020).",
        "The lowest LDL is 90 mg/dL (June 2022) and the highest 180 mg/dL (June 2022).",
    ),
    (
        "She is 165 cm tall and weighs 74.1 kg.",
        "She is 156 cm tall and weighs 74.1 kg.",
    ),
)


@pytest.mark.parametrize(("true", "changed"), SENTENCES)
def test_a_course_is_supported_in_any_order_of_its_words_and_not_with_one_thing_changed(
    true: str, changed: str
) -> None:
    said = [claim for claim in claims(true, record()) if claim.check != "sex"]
    assert worst(said) is Verdict.SUPPORTED, [claim.reason for claim in said]
    assert worst([claim for claim in claims(changed, record()) if claim.check != "sex"]) is not Verdict.SUPPORTED
