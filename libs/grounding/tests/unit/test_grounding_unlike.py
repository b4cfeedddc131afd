"""Lists of unlike things and events beside each other: drugs, procedures and plans of care with their reasons, what
was taken out again, what was done each day or not at all; with any part said otherwise it is not supported."""

from datetime import UTC, datetime

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.context_pb2 import Note
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from practice.records import RecordBuilder, stamp
from terminology.concepts import ACT_CODE, SNOMED

NOW = datetime(2026, 10, 7, tzinfo=UTC)
PROCEDURES = (
    ("65200003", "Insertion of intrauterine contraceptive device (procedure)", ("2011-05-03",)),
    ("46706006", "Replacement of contraceptive intrauterine device (procedure)", ("2016-05-09",)),
    ("68254000", "Removal of intrauterine device (procedure)", ("2019-08-20",)),
    ("225358003", "Wound care (regime/therapy)", ("2014-02-01",)),
    ("288086009", "Suture open wound (procedure)", ("2014-02-01",)),
    ("371908008", "Oxygen administration by mask (procedure)", ("2020-03-02", "2020-03-03", "2020-03-04")),
    ("399208008", "Plain X-ray of chest (procedure)", ("2020-03-02",)),
)
VISITS = (
    ("2014-02-01", "2014-02-01", "EMER"),
    ("2020-03-02", "2020-03-06", "IMP"),
    ("2022-09-12", "2022-09-12", "AMB"),
    ("2023-01-16", "2023-01-18", "IMP"),
)


def _record() -> Record:
    record = RecordBuilder()
    record.born("1980-05-04", "F")
    for start, end, classed in VISITS:
        visit = ClinicalFact(
            kind=clinical.FACT_KIND_ENCOUNTER,
            code=CodedConcept(system=ACT_CODE, code=classed),
            status=clinical.FACT_STATUS_ENDED,
        )
        record.add(visit, start, end)
    for code, display, days in PROCEDURES:
        for day in days:
            done = ClinicalFact(
                kind=clinical.FACT_KIND_PROCEDURE,
                code=CodedConcept(system=SNOMED, code=code, display=display),
                status=clinical.FACT_STATUS_ENDED,
            )
            record.add(done, day, day)
    record.problem("S71.11", "Laceration of thigh", "2014-02-01", end="2014-03-01")
    record.problem("J18.9", "Pneumonia", "2020-03-02", end="2020-04-01")
    record.problem("G43.909", "Migraine", "2012-06-10")
    record.problem("J20.9", "Acute bronchitis", "2008-01-10", end="2008-02-01")
    record.medication("7258", "naproxen", "2014-02-01", end="2014-03-01", dose="220")
    record.medication("723", "amoxicillin", "2020-03-02", end="2020-03-12")
    record.medication("29046", "lisinopril", "2021-09-20", dose="10", frequency="daily")
    record.add(ClinicalFact(fact_id="letter", kind=clinical.FACT_KIND_DOCUMENT), "2014-02-01")
    note = Note(
        fact_id="letter", title="Letter", text="The patient was placed on a careplan:\n- wound care (regime/therapy)"
    )
    note.authored_at.CopyFrom(stamp("2014-02-01"))
    return Record(sources := Sources.of(NOW, record.facts, identifiers=[record.patient], notes=[note]), sources.current)


RECORD = _record()


def verdict(sentence: str) -> Verdict:
    return worst(claims(sentence, RECORD))


# What holds, and the same with one thing said otherwise.
CASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "The thigh laceration of February 2014 was managed with naproxen 220 mg and suturing.",
        (
            "The thigh laceration of February 2014 was managed with amoxicillin and suturing.",
            "The thigh laceration of February 2014 was managed with naproxen 220 mg and oxygen by mask.",
            "The thigh laceration of March 2015 was managed with naproxen 220 mg and suturing.",
            "Migraine was managed with naproxen 220 mg and suturing.",
        ),
    ),
    (
        "Pneumonia in March 2020, treated with amoxicillin and oxygen by mask.",
        (
            "Pneumonia in March 2020, treated with naproxen and oxygen by mask.",
            "Pneumonia in March 2020, treated with amoxicillin and suturing.",
            "Acute bronchitis in January 2008, treated with amoxicillin and oxygen by mask.",
        ),
    ),
    (
        "An intrauterine device was inserted in May 2011, replaced in May 2016, finally removed on 20 August 2019.",
        (
            "An intrauterine device was inserted in May 2011, replaced in May 2017, finally removed on 20 August 2019.",
            "An intrauterine device was inserted in May 2011, replaced in May 2016, finally removed on 20 August 2020.",
            "An intrauterine device was inserted in May 2012, replaced in May 2016, finally removed on 20 August 2019.",
        ),
    ),
    (
        "Oxygen by mask was given daily from 2 to 4 March 2020.",
        (
            "Oxygen by mask was given daily from 2 to 5 March 2020.",
            "Suturing was given daily from 2 to 4 March 2020.",
        ),
    ),
    (
        "A plain chest film was taken on 2 March 2020, the day pneumonia was entered in the problem list.",
        (
            "A plain chest film was taken on 2 March 2020, the day migraine was entered in the problem list.",
            "A plain chest film was taken on 3 March 2020, the day pneumonia was entered in the problem list.",
            "A plain knee film was taken on 2 March 2020, the day pneumonia was entered in the problem list.",
        ),
    ),
    (
        "In September 2022 no orders were placed.",
        ("In March 2020 no orders were placed.", "In September 2019 no orders were placed."),
    ),
    (
        "The chart never mentions stroke or dialysis.",
        ("The chart never mentions migraine or dialysis.", "The chart never mentions stroke or oxygen by mask."),
    ),
    (
        "Acute bronchitis preceded the diagnosis of migraine.",
        ("Pneumonia preceded the diagnosis of migraine.", "Migraine preceded the diagnosis of acute bronchitis."),
    ),
    (
        "Her most recent admission began on 16 January 2023.",
        ("Her most recent admission began on 2 March 2020.", "Her most recent admission was prescribed."),
    ),
    (
        "Prescribed over the years, in this order: naproxen, amoxicillin, lisinopril.",
        ("Prescribed over the years, in this order: amoxicillin, naproxen, lisinopril.",),
    ),
    (
        "She had acute bronchitis in January 2008, migraine in June 2012 and pneumonia in March 2020.",
        ("She had acute bronchitis in January 2008, migraine in June 2012 and pneumonia in March 2021.",),
    ),
)


@pytest.mark.parametrize("sentence", [true for true, _ in CASES])
def test_what_the_record_holds_in_every_part_is_supported(sentence: str) -> None:
    assert verdict(sentence) is Verdict.SUPPORTED


@pytest.mark.parametrize("sentence", [false for _, falses in CASES for false in falses])
def test_one_part_said_otherwise_is_not_supported(sentence: str) -> None:
    assert verdict(sentence) is not Verdict.SUPPORTED


def test_a_plan_of_care_is_of_the_problem_that_was_seen_then() -> None:
    assert verdict("The thigh laceration of February 2014 was treated with naproxen and a wound care plan.") is (
        Verdict.SUPPORTED
    )
    assert verdict("Pneumonia in March 2020 was treated with amoxicillin and a wound care plan.") is not (
        Verdict.SUPPORTED
    )


def test_what_no_comparison_looks_at_is_not_supported() -> None:
    assert verdict("Her last colonoscopy was prescribed.") is not Verdict.SUPPORTED
