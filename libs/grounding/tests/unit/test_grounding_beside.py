"""What stands beside any clause, and says where, under what, for what or when it was: each is compared, and with any of
it said otherwise the sentence is not supported."""

from datetime import UTC, datetime

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from practice.records import RecordBuilder
from terminology.concepts import ACT_CODE

NOW = datetime(2026, 10, 7, tzinfo=UTC)
TRUE = (
    "Naproxen was given for migraine in the emergency department.",
    "In the emergency department she was given naproxen.",
    "Started in May 2012, hydrochlorothiazide is on her medication list.",
    "First diagnosed in May 2012, her hypertension is treated with hydrochlorothiazide.",
    "Having been diagnosed with hypertension in May 2012, she takes hydrochlorothiazide.",
    "She takes hydrochlorothiazide for hypertension.",
    "She received naproxen because she had migraine.",
    "Potassium fell from 5.0 to 4.1 mmol/L under hydrochlorothiazide.",
    "Potassium was 5.0 mmol/L when hypertension was diagnosed.",
    "Hydrochlorothiazide was started in May 2012 when potassium was 5.0 mmol/L.",
    "Hydrochlorothiazide was started when hypertension was diagnosed.",
    "At diagnosis of hypertension, potassium was 5.0 mmol/L.",
    "12 May 2012: hypertension, potassium 5.0 mmol/L.",
    "12 May 2012 - potassium 5.0 mmol/L.",
    "Measured on 12 May 2012: potassium 5.0 mmol/L.",
    "Potassium was 4.1 mmol/L on the 1st of June 2020.",
    "Potassium has never been above 5.0 mmol/L.",
    "Acute bronchitis in March 1999, with a potassium of 4.4 mmol/L, resolved after three weeks.",
)
FALSE = (
    "Hydrochlorothiazide was started in the emergency department.",
    "Naproxen was given for bronchitis in the emergency department.",
    "Started in May 2013, hydrochlorothiazide is on her medication list.",
    "First diagnosed in May 2015, her hypertension is treated with hydrochlorothiazide.",
    "Having been diagnosed with hypertension in May 2014, she takes hydrochlorothiazide.",
    "She takes hydrochlorothiazide for diabetes.",
    "Hydrochlorothiazide was started for diabetes in May 2012.",
    "She received naproxen because she had bronchitis.",
    "Potassium fell from 4.4 to 4.1 mmol/L under hydrochlorothiazide.",
    "Potassium was 4.1 mmol/L when hypertension was diagnosed.",
    "Hydrochlorothiazide was started in May 2012 when potassium was 4.1 mmol/L.",
    "Hydrochlorothiazide was started when migraine was diagnosed.",
    "Hydrochlorothiazide was started after migraine was diagnosed.",
    "At diagnosis of hypertension, potassium was 4.4 mmol/L.",
    "12 May 2012: hypertension, potassium 4.1 mmol/L.",
    "12 May 2012: migraine, potassium 5.0 mmol/L.",
    "Measured on 12 May 2013: potassium 5.0 mmol/L.",
    "Potassium was 4.1 mmol/L on the 2nd of June 2020.",
    "Potassium has never been above 4.9 mmol/L.",
    "Acute bronchitis in March 1999, with a potassium of 4.4 mmol/L, resolved after three months.",
)


def _record() -> Record:
    record = RecordBuilder()
    record.born("1960-05-04", "F")
    for day, classed in (("1999-03-01", "AMB"), ("2012-05-12", "AMB"), ("2015-06-10", "EMER")):
        visit = CodedConcept(system=ACT_CODE, code=classed)
        fact = ClinicalFact(kind=clinical.FACT_KIND_ENCOUNTER, code=visit, status=clinical.FACT_STATUS_ENDED)
        record.add(fact, day, day)
    record.problem("J20.9", "Acute bronchitis", "1999-03-01", end="1999-03-22")
    record.problem("I10", "Essential hypertension", "2012-05-12")
    record.problem("E11.9", "Type 2 diabetes mellitus", "2012-05-12")
    record.problem("G43.909", "Migraine", "2015-06-10")
    record.medication("5487", "hydrochlorothiazide", "2012-05-12", dose="25", frequency="daily")
    record.medication("7258", "naproxen", "2015-06-10", dose="500")
    for value, day in (("4.4", "1999-03-01"), ("5.0", "2012-05-12"), ("4.1", "2020-06-01")):
        record.potassium(value, day)
    sources = Sources.of(NOW, record.facts, identifiers=[record.patient])
    return Record(sources, sources.current)


RECORD = _record()


@pytest.mark.parametrize("sentence", TRUE)
def test_what_is_true_beside_a_clause_is_supported(sentence: str) -> None:
    found = claims(sentence, RECORD)
    assert worst(found) is Verdict.SUPPORTED, [claim.reason for claim in found]


@pytest.mark.parametrize("sentence", FALSE)
def test_what_is_not_true_beside_a_clause_is_not_supported(sentence: str) -> None:
    assert worst(claims(sentence, RECORD)) is not Verdict.SUPPORTED
