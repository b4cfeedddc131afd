"""Orders over time and allergies are supported in many wordings; another drug, dose, day, order or reason is not."""

from datetime import UTC, datetime

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from practice.records import RecordBuilder
from terminology.concepts import RXNORM, SNOMED

NOW = datetime(2026, 10, 7, tzinfo=UTC)
TRUE = (
    "Amlodipine was started in June 2024 and stopped in April 2026.",
    "Amlodipine 5 mg, begun on 12 June 2024, was discontinued on 14 April 2026.",
    "Amlodipine was begun in June 2024; it has since been discontinued.",
    "Amlodipine was taken from June 2024 to April 2026.",
    "Amlodipine was still listed in May 2025 but was gone by 1 May 2026.",
    "By May 2026 she was no longer on amlodipine.",
    "She used to take amlodipine.",
    "On 14 April 2026 she came off amlodipine.",
    "Amoxicillin 500 mg was prescribed twice, in May 2019 and in March 2023.",
    "Amoxicillin was first dispensed on 3 May 2019.",
    "Amoxicillin was last prescribed in March 2023.",
    "Amoxicillin was prescribed in May 2019 and again in March 2023.",
    "She received a 7-day course of amoxicillin in May 2019.",
    "Amoxicillin was prescribed for otitis media in May 2019.",
    "No amlodipine has been prescribed since 2025.",
    "Losartan is on her medication list.",
    "She remains on losartan 50 mg.",
    "She is documented as allergic to latex.",
    "Latex is listed among her allergies.",
    "Her only known allergy is to latex.",
    "A latex allergy was first recorded in February 2020.",
    "One allergy is documented: latex.",
)
FALSE = (
    "Amlodipine was started in June 2024 and stopped in April 2025.",
    "Amoxicillin was started in May 2019 and stopped in March 2023.",
    "Amlodipine was taken from June 2024 to May 2026.",
    "Amlodipine was still listed in July 2026.",
    "By May 2025 she was no longer on amlodipine.",
    "She used to take losartan.",
    "She came off amlodipine on 14 November 2026.",
    "Amoxicillin 500 mg was prescribed three times.",
    "Amoxicillin was first dispensed in March 2023.",
    "Amoxicillin was last prescribed in May 2019.",
    "She received a 10-day course of amoxicillin in May 2019.",
    "Amoxicillin was prescribed for six weeks in May 2019.",
    "Amoxicillin was prescribed for gout in May 2019.",
    "Amoxicillin was stopped because of otitis media.",
    "No amlodipine has been prescribed since 2023.",
    "Losartan is no longer on her medication list.",
    "Losartan was given intravenously.",
    "Losartan was increased from 25 mg to 50 mg.",
    "Losartan was replaced by amlodipine on 14 April 2026.",
    "Amoxicillin was replaced by losartan.",
    "She is taking no medication.",
    "Start losartan.",
    "She is not allergic to latex.",
    "She has no known drug allergies.",
    "She has two recorded allergies.",
    "A severe latex allergy is documented.",
    "A latex allergy was first recorded in May 2021.",
    "She is allergic to latex with urticaria.",
    "She is allergic to latex and penicillin.",
)


@pytest.fixture(scope="module")
def record() -> Record:
    own = RecordBuilder()
    own.born("1960-05-04", "F")
    _order(own, "17767", "amlodipine", "5", "2024-06-12", "2026-04-14")
    _order(own, "723", "amoxicillin", "500", "2019-05-03", "2019-05-10")
    _order(own, "723", "amoxicillin", "500", "2023-03-06", "2023-03-13")
    own.medication("52175", "losartan", "2026-04-14", dose="50", frequency="once daily")
    problem = CodedConcept(system=SNOMED, code="65363002", display="Otitis media (disorder)")
    _add(own, clinical.FACT_KIND_PROBLEM, problem, "2019-05-03", "2019-06-01")
    latex = CodedConcept(system=SNOMED, code="111088007", display="Latex (substance)")
    _add(own, clinical.FACT_KIND_ALLERGY, latex, "2020-02-03", "")
    sources = Sources.of(NOW, own.facts, identifiers=[own.patient])
    return Record(sources, sources.current)


def _order(own: RecordBuilder, code: str, name: str, dose: str, start: str, end: str) -> None:
    concept = CodedConcept(system=RXNORM, code=code, display=name)
    fact = ClinicalFact(kind=clinical.FACT_KIND_MEDICATION, code=concept, status=clinical.FACT_STATUS_ENDED)
    fact.dosage.dose.value, fact.dosage.dose.unit = dose, "mg"
    own.add(fact, start, end)


def _add(own: RecordBuilder, kind: "clinical.FactKind.ValueType", concept: CodedConcept, start: str, end: str) -> None:
    status = clinical.FACT_STATUS_ENDED if end else clinical.FACT_STATUS_ACTIVE
    own.add(ClinicalFact(kind=kind, code=concept, status=status), start, end)


@pytest.mark.parametrize("sentence", TRUE)
def test_what_the_orders_and_allergies_say_is_supported_in_many_wordings(record: Record, sentence: str) -> None:
    assert worst(claims(sentence, record)) is Verdict.SUPPORTED


@pytest.mark.parametrize("sentence", FALSE)
def test_another_drug_dose_day_order_or_reason_is_not_supported(record: Record, sentence: str) -> None:
    assert worst(claims(sentence, record)) is not Verdict.SUPPORTED
