"""Sentences that say one thing otherwise than the record are not supported: before and after, since when, which course,
which order, who died, what else is taken, what is still there. Beside each stands what does hold."""

from datetime import UTC, datetime

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from practice.records import RecordBuilder
from terminology.concepts import SNOMED

NOW = datetime(2026, 10, 7, tzinfo=UTC)


def _record() -> Record:
    record = RecordBuilder()
    record.born("1960-05-04", "F")
    record.medication("6809", "metformin", "2021-02-03")
    record.medication("29046", "lisinopril", "2023-06-14")
    record.medication("17767", "amlodipine", "2022-03-01", end="2022-09-01")
    record.problem("J20.9", "Acute bronchitis", "2020-04-02", end="2020-04-20")
    record.problem("M10.9", "gout", "2019-01-15")
    record.problem("D64.9", "anemia", "2017-03-22")
    for value, day in (("10.8", "2017-03-22"), ("14.9", "2022-12-21")):
        record.result("718-7", "Hemoglobin [Mass/volume] in Blood", value, "g/dL", day)
    for kind, code, name, day in (
        (clinical.FACT_KIND_PROBLEM, "428251000124104", "History of appendectomy (situation)", "2005-03-01"),
        (clinical.FACT_KIND_PROCEDURE, "80146002", "Excision of appendix (procedure)", "2005-03-11"),
    ):
        concept = CodedConcept(system=SNOMED, code=code, display=name)
        record.add(ClinicalFact(kind=kind, code=concept, status=clinical.FACT_STATUS_ACTIVE), day)
    record.encounter("inpatient encounter", "2020-04-03", "2020-04-09")
    for value, day in (("71", "2021-03-02"), ("64", "2023-03-09"), ("27", "2026-09-01")):
        record.egfr(value, day)
    for value, day in (("70.4", "2021-03-02"), ("74.9", "2023-03-09"), ("79.3", "2026-09-01")):
        record.result("29463-7", "Body weight", value, "kg", day)
    sources = Sources.of(NOW, record.facts, identifiers=[record.patient])
    return Record(sources, sources.current)


RECORD = _record()


def verdict(sentence: str) -> Verdict:
    return worst(claims(sentence, RECORD))


# What holds, and with one thing said otherwise.
PAIRS = (
    ("She was born before 1961.", "She was born before 1960."),
    ("She was born after 1959.", "She was born after 4 May 1960."),
    ("She was admitted before 4 April 2020.", "She was admitted before 3 April 2020."),
    ("She was admitted after 2 April 2020.", "She was admitted after 3 April 2020."),
    ("She took amlodipine before 2 March 2022.", "She took amlodipine before 1 March 2022."),
    ("She took amlodipine after July 2022.", "She took amlodipine after September 2022."),
    ("Acute bronchitis before May 2020, resolved.", "Acute bronchitis before April 2020, resolved."),
    ("Acute bronchitis after March 2020, resolved.", "Acute bronchitis after April 2020, resolved."),
    ("CKD G4.", "CKD G4 since 2021."),
    ("CKD stage 4.", "CKD stage 4 in March 2023."),
    ("Her eGFR has fallen below 30.", "Her eGFR has risen below 30."),
    ("Her eGFR has fallen below 30.", "Her weight has fallen below 90 kg."),
    (
        "Weight has risen continuously since 2021, from 70.4 kg to 79.3 kg in 2026.",
        "Weight has risen continuously since 2021, from 70.4 kg to 83.3 kg in 2026.",
    ),
    (
        "Weight has risen continuously since 2021, from 70.4 kg to 79.3 kg in 2026.",
        "Weight has risen continuously since 2021, from 66.4 kg to 79.3 kg in 2026.",
    ),
    ("Active problems include gout.", "Active problems include gout and acute bronchitis."),
    ("Past medical history includes gout and acute bronchitis.", "Active problems: gout, colonoscopy."),
    ("Her medications are metformin and lisinopril.", "Her only medication is metformin."),
    (
        "She was started on metformin in February 2021 and lisinopril was started in June 2023.",
        "She was started on metformin in February 2021 and on lisinopril in February 2024.",
    ),
    ("Anemia was noted in March 2017 (Hb 10.8 g/dL).", "Anemia (Hb 14.9 g/dL)."),
    ("She underwent an appendectomy once.", "She underwent an appendectomy twice."),
    ("The last amlodipine prescription ended in September 2022.", "No gout has not been diagnosed."),
)


@pytest.mark.parametrize("sentence", [pair[0] for pair in PAIRS])
def test_what_the_record_says_is_supported(sentence: str) -> None:
    assert verdict(sentence) is Verdict.SUPPORTED


@pytest.mark.parametrize("otherwise", [pair[1] for pair in PAIRS])
def test_what_it_says_otherwise_is_not_supported(otherwise: str) -> None:
    assert verdict(otherwise) is not Verdict.SUPPORTED
