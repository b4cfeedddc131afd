"""Letters to the patient, ward notes and lists: what holds is supported, with one thing said otherwise it is not."""

from datetime import UTC, datetime

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from practice.records import RecordBuilder
from terminology.concepts import ACT_CODE, CVX, LOINC, SNOMED

NOW = datetime(2026, 10, 7, tzinfo=UTC)


def _add(record: RecordBuilder, kind: int, concept: CodedConcept, start: str, end: str, note: str = "") -> None:
    fact = ClinicalFact(kind=kind, code=concept, status=clinical.FACT_STATUS_ENDED, note=note)  # type: ignore[arg-type]
    record.add(fact, start, end)


def _answers_and_pressures(record: RecordBuilder) -> None:
    for systolic, diastolic, day in (("151", "96", "2018-06-01"), ("168", "104", "2020-06-01")):
        record.result("8480-6", "Systolic blood pressure", systolic, "mm[Hg]", day)
        record.result("8462-4", "Diastolic blood pressure", diastolic, "mm[Hg]", day)
    for code, display, answer in (
        ("72166-2", "Tobacco smoking status", "Former smoker"),
        ("76501-6", "Within the last year, have you been afraid of your partner or ex-partner?", "No"),
    ):
        asked = CodedConcept(system=LOINC, code=code, display=display)
        fact = ClinicalFact(kind=clinical.FACT_KIND_RESULT, code=asked, coded=CodedConcept(display=answer),
                            status=clinical.FACT_STATUS_FINAL)  # fmt: skip
        record.add(fact, "2020-06-01")


def _vaccinations(record: RecordBuilder) -> None:
    for code, display, days in (
        (
            "140",
            "Influenza, seasonal, injectable, preservative free",
            [f"{year}-10-0{year % 7 + 1}" for year in range(2014, 2020)],
        ),
        ("03", "MMR", ["1962-05-04", "1966-05-11"]),
        ("21", "varicella", ["1962-05-04", "1966-05-11"]),
        ("113", "Td (adult) preservative free", ["2015-10-02"]),
    ):
        for day in days:
            _add(
                record, clinical.FACT_KIND_IMMUNIZATION, CodedConcept(system=CVX, code=code, display=display), day, day
            )


def _record() -> Record:
    record = RecordBuilder()
    record.born("1960-05-04", "F")
    for start, end, classed, note in (
        ("2003-03-08", "2003-03-14", "IMP", ""),
        ("2016-06-01", "2016-06-01", "AMB", "Migraine"),
        ("2018-10-27", "2018-10-27", "EMER", ""),
    ):
        _add(
            record,
            clinical.FACT_KIND_ENCOUNTER,
            CodedConcept(system=ACT_CODE, code=classed, display=classed),
            start,
            end,
            note,
        )
    for code, display, day in (
        ("73761001", "Colonoscopy (procedure)", "2011-02-07"),
        ("73761001", "Colonoscopy (procedure)", "2016-02-08"),
        ("73761001", "Colonoscopy (procedure)", "2021-06-01"),
        ("288086009", "Suture open wound (procedure)", "2018-10-27"),
    ):
        _add(record, clinical.FACT_KIND_PROCEDURE, CodedConcept(system=SNOMED, code=code, display=display), day, day)
    _vaccinations(record)
    record.problem("I10", "Essential hypertension", "2004-08-14")
    record.problem("G43.909", "Migraine", "2011-06-10")
    for code, display, start, end in (
        ("263102004", "Fracture of humerus (disorder)", "2010-04-02", "2010-05-30"),
        ("283371005", "Laceration of forearm (disorder)", "2018-10-27", "2018-11-20"),
        ("65363002", "Otitis media (disorder)", "1964-02-03", "1964-03-01"),
        ("65363002", "Otitis media (disorder)", "1967-02-03", "1967-03-01"),
    ):
        concept = CodedConcept(system=SNOMED, code=code, display=display)
        _add(record, clinical.FACT_KIND_PROBLEM, concept, start, end)
    for year in range(2018, 2023):
        record.medication("29046", "lisinopril", f"{year}-03-05", end=f"{year + 1}-03-05", dose="10", frequency="daily")
    record.medication("7258", "naproxen", "2018-10-27", end="2018-11-10", dose="500")
    for value, day in (("4.41", "2016-06-01"), ("5.02", "2018-06-01"), ("4.13", "2020-06-01"), ("5.63", "2026-10-05")):
        record.potassium(value, day)
    record.result("777-3", "Platelets [#/volume] in Blood by Automated count", "217.9", "10*9/L", "2020-06-01")
    record.result("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma", "0.3238", "mg/dL", "2020-06-01")
    _answers_and_pressures(record)
    sources = Sources.of(NOW, record.facts, identifiers=[record.patient])
    return Record(sources, sources.current)


RECORD = _record()


def verdict(sentence: str) -> Verdict:
    return worst(claims(sentence, RECORD))


# What holds, and the same with one thing said otherwise.
CASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    # Counts and rounding.
    ("Plt 218 G/L on 1 June 2020.", ("Plt 217 G/L on 1 June 2020.", "Plt 218 T/L on 1 June 2020.")),
    (
        "Bilirubin 0.3 mg/dL on 1 June 2020.",
        ("Bilirubin 0.4 mg/dL on 1 June 2020.", "Bilirubin 0 mg/dL on 1 June 2020."),
    ),
    # To the patient.
    ("You have migraine.", ("You have gout.", "You had otitis media in 2004.")),
    (
        "You broke your humerus in April 2010.",
        ("You broke your wrist in April 2010.", "You broke your humerus in April 2011."),
    ),
    ("Your potassium was 5.63 mmol/L on 5 October 2026.", ("Your potassium was 4.13 mmol/L on 5 October 2026.",)),
    ("You told us that you are a former smoker.", ("You told us that you are a current smoker.",)),
    ("You have hypertension and migraine.", ("You have hypertension and asthma.",)),
    # Wards.
    ("# humerus 2/4/2010", ("# humerus 2/4/2012", "# femur 2/4/2010")),
    ("Forearm lac 27/10/2018, sutured.", ("Humerus # 2/4/2010, sutured.", "Forearm lac 27/10/2017, sutured.")),
    # Stays.
    ("Length of stay: 6 nights.", ("Length of stay: 7 nights.", "Length of stay: 5 nights.")),
    ("Length of stay 6 nights (8 to 14 March 2003).", ("Length of stay 6 nights (8 to 15 March 2003).",)),
    (
        "Inpatient stay 8 March 2003 to 14 March 2003, 6 days.",
        ("Inpatient stay 8 March 2003 to 14 March 2003, 9 days.",),
    ),
    ("She left hospital on 14 March 2003.", ("She left hospital on 8 March 2003.",)),
    # Series.
    (
        "Influenza vaccination every year from 2014 to 2019.",
        ("Influenza vaccination every year from 2013 to 2019.", "Td vaccination every year from 2014 to 2019."),
    ),
    (
        "Lisinopril 10 mg was prescribed annually from March 2018 to March 2022.",
        (
            "Lisinopril 20 mg was prescribed annually from March 2018 to March 2022.",
            "Lisinopril 10 mg was prescribed annually from March 2016 to March 2022.",
            "Naproxen was prescribed annually from March 2018 to March 2022.",
        ),
    ),
    (
        "Immunisations: influenza every year from 2014 to 2019, Td 2015, MMR 1962.",
        (
            "Immunisations: influenza every year from 2014 to 2019, Td 2016, MMR 1962.",
            "Immunisations: Td 2015, polio 1962.",
        ),
    ),
    (
        "MMR and varicella vaccine: first doses 4 May 1962, second doses 11 May 1966.",
        (
            "MMR and varicella vaccine: first doses 11 May 1966, second doses 4 May 1962.",
            "MMR and Td vaccine: first doses 4 May 1962, second doses 11 May 1966.",
        ),
    ),
    ("The second dose of MMR was given on 11 May 1966.", ("The second dose of MMR was given on 4 May 1962.",)),
    ("She was vaccinated against tetanus in October 2015.", ("She was vaccinated against polio in October 2015.",)),
    (
        "Potassium in June 2016, 2018 and 2020: 4.41, 5.02 and 4.13 mmol/L, respectively.",
        (
            "Potassium in June 2016, 2018 and 2020: 4.41, 4.13 and 5.02 mmol/L, respectively.",
            "Potassium in May 2016, 2018 and 2020: 4.41, 5.02 and 4.13 mmol/L, respectively.",
        ),
    ),
    (
        "Potassium 4.41, 5.02 and 4.13 mmol/L in 2016, 2018 and 2020.",
        ("Potassium 5.02, 4.41 and 4.13 mmol/L in 2016, 2018 and 2020.",),
    ),
    (
        "Lisinopril dose unchanged at 10 mg since March 2018.",
        ("Lisinopril dose unchanged at 20 mg since March 2018.", "Naproxen dose unchanged at 500 mg."),
    ),
    # Of all values.
    (
        "Of the four potassium values on record, the latest is the highest.",
        (
            "Of the four potassium values on record, the first is the highest.",
            "Of the five potassium values on record, the latest is the highest.",
        ),
    ),
    (
        "The highest of the four potassium values was 5.63 mmol/L in October 2026.",
        ("The highest of the four potassium values was 5.02 mmol/L in June 2018.",),
    ),
    (
        "All two blood pressure readings on record are above 150/90 mmHg.",
        (
            "All two blood pressure readings on record are above 150/100 mmHg.",
            "All three blood pressure readings on record are above 150/90 mmHg.",
        ),
    ),
    # Times.
    (
        "Otitis media twice in childhood, in 1964 and 1967.",
        (
            "Otitis media twice in childhood, in 1964 and 1968.",
            "Otitis media three times in childhood, in 1964 and 1967.",
        ),
    ),
    (
        "She has had three colonoscopies, most recently in June 2021.",
        (
            "She has had three colonoscopies, most recently in February 2016.",
            "She has had two colonoscopies, most recently in June 2021.",
        ),
    ),
    (
        "Naproxen was prescribed on 27 October 2018 as a two-week course ending 10 November 2018.",
        ("Naproxen was prescribed on 27 October 2018 as a four-week course ending 24 November 2018.",),
    ),
    (
        "She was seen on 1 June 2016 for migraine.",
        ("She was seen on 1 June 2016 for hypertension.", "She was seen on 27 October 2018 for migraine."),
    ),
    # Answers.
    (
        "She denied having been afraid of her partner within the last year.",
        ("She reported having been afraid of her partner within the last year.",),
    ),
    ("Smoking: ex.", ("Smoking: never.", "Smoking: current.")),
)


@pytest.mark.parametrize("sentence", [sentence for sentence, _ in CASES])
def test_what_holds_is_supported(sentence: str) -> None:
    assert verdict(sentence) is Verdict.SUPPORTED, sentence


@pytest.mark.parametrize("sentence", [each for _, wrong in CASES for each in wrong])
def test_with_one_thing_said_otherwise_it_is_not(sentence: str) -> None:
    assert verdict(sentence) is not Verdict.SUPPORTED, sentence


@pytest.mark.parametrize(
    "sentence",
    ["You should take lisinopril.", "If you take lisinopril you have hypertension.", "You may have migraine.",
     "Did you take lisinopril?", "You need a colonoscopy."],
)  # fmt: skip
def test_what_the_patient_is_told_to_do_is_never_supported(sentence: str) -> None:
    assert verdict(sentence) is Verdict.UNSUPPORTED, sentence
