"""What a sentence leaves out and its reader fills in: a stage's disease, a denied answer, `it`, the values of a count,
the ingredients of a combination. What holds is supported, with one thing said otherwise it is not."""

from datetime import UTC, datetime

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from practice.records import RecordBuilder
from terminology.concepts import LOINC, RXNORM, SNOMED

NOW = datetime(2026, 10, 7, tzinfo=UTC)
PAIRS = (
    (
        "CKD stage 1 was entered on 3 May 2024 and stage 2 on 6 June 2024.",
        "CKD stage 1 was entered on 3 May 2024 and stage 3 on 6 June 2024.",
    ),
    (
        "CKD stage 1 was entered on 3 May 2024 and stage 2 five weeks later.",
        "CKD stage 1 was entered on 3 May 2024 and stage 2 five months later.",
    ),
    (
        "In May 2024 she was neither a refugee nor a veteran.",
        "In May 2024 she was neither a refugee nor homeless.",
    ),
    (
        "Creatinine was checked twice on 3 May 2024: 2.27 and 2.50 mg/dL.",
        "Creatinine was checked twice on 3 May 2024: 2.27 and 2.70 mg/dL.",
    ),
    (
        "Creatinine checked twice on 3 May 2024: 2.27 and 2.50 mg/dL.",
        "Creatinine checked three times on 3 May 2024: 2.27 and 2.50 mg/dL.",
    ),
    (
        "On 3 May 2024 her Hb was 7.9 g/dL, she was diagnosed with anemia and two weeks later it had come up to 10.4.",
        "On 3 May 2024 her Hb was 7.9 g/dL, she was diagnosed with anemia and two weeks later it had come up to 11.4.",
    ),
    (
        "Hemoglobin (g/dL): May 3, 2024: 7.9; May 17, 2024: 10.4",
        "Hemoglobin (g/L): May 3, 2024: 7.9; May 17, 2024: 10.4",
    ),
    (
        "Hemoglobin (g/dL): 7.9 on 3 May 2024, 10.4 on 17 May 2024",
        "Hemoglobin (%): 7.9 on 3 May 2024, 10.4 on 17 May 2024",
    ),
    ("Hemoglobin rose after the transfusion of packed red cells.", "Hemoglobin rose after the appendectomy."),
    ("She has put on weight since 2023.", "She has lost weight since 2023."),
    (
        "She has been putting on weight steadily, from 70 kg in 2023 to 74 kg in 2024.",
        "She has been putting on weight steadily, from 71 kg in 2023 to 74 kg in 2024.",
    ),
    ("Her weight was below 75 kg in both 2023 and 2024.", "Her weight was above 72 kg in both 2023 and 2024."),
    (
        "Anemia has been diagnosed twice, most recently in June 2024.",
        "Anemia has been diagnosed twice, most recently in May 2024.",
    ),
    ("Her hemoglobin fell as low as 7.9 g/dL in May 2024.", "Her hemoglobin fell as low as 10.4 g/dL in May 2024."),
    (
        "SARS-CoV-2 RNA was detected on 3 May 2024; influenza virus A RNA was negative.",
        "SARS-CoV-2 RNA was negative on 3 May 2024; influenza virus A RNA was negative.",
    ),
    ("Influenza virus A RNA not detected.", "Influenza virus A RNA detected."),
    (
        "Oxycodone/acetaminophen 5/325 mg was prescribed in May 2024.",
        "Oxycodone/acetaminophen 325/5 mg was prescribed in May 2024.",
    ),
    (
        "Acetaminophen/oxycodone 325/5 mg was prescribed in May 2024.",
        "Acetaminophen/oxycodone 325/10 mg was prescribed in May 2024.",
    ),
    (
        "Fluticasone/salmeterol 250/50 mcg was prescribed in May 2024.",
        "Fluticasone/salmeterol 500/50 mcg was prescribed in May 2024.",
    ),
    ("Humulin 70/30 was prescribed in May 2024.", "Humulin 50/50 was prescribed in May 2024."),
    ("She was prescribed Humulin in May 2024.", "She was prescribed Novolin in May 2024."),
)


def _record() -> Record:
    record = RecordBuilder()
    record.born("1960-05-04", "F")
    for code, name, day in (
        ("431855005", "Chronic kidney disease stage 1 (disorder)", "2024-05-03"),
        ("431856006", "Chronic kidney disease stage 2 (disorder)", "2024-06-06"),
        ("271737000", "Anemia (disorder)", "2024-05-03"),
        ("271737000", "Anemia (disorder)", "2024-06-20"),
    ):
        _add(record, clinical.FACT_KIND_PROBLEM, CodedConcept(system=SNOMED, code=code, display=name), day)
    for code, question in (("93027-1", "Are you a refugee?"), ("93034-7", "Discharged from the armed forces")):
        asked = CodedConcept(system=LOINC, code=code, display=question)
        _add(record, clinical.FACT_KIND_RESULT, asked, "2024-05-03", coded=CodedConcept(display="No"))
    for code, name, answer in (
        ("94500-6", "SARS-CoV-2 RNA", "Detected (qualifier value)"),
        ("92142-9", "Influenza virus A RNA", "Negative (qualifier value)"),
    ):
        tested = CodedConcept(system=LOINC, code=code, display=name)
        _add(record, clinical.FACT_KIND_RESULT, tested, "2024-05-03", coded=CodedConcept(display=answer))
    record.result("2160-0", "Creatinine", "2.27", "mg/dL", "2024-05-03")
    record.result("2160-0", "Creatinine", "2.50", "mg/dL", "2024-05-03")
    record.result("718-7", "Hemoglobin", "7.9", "g/dL", "2024-05-03")
    record.result("718-7", "Hemoglobin", "10.4", "g/dL", "2024-05-17")
    record.result("29463-7", "Body weight", "70", "kg", "2023-05-03")
    record.result("29463-7", "Body weight", "74", "kg", "2024-05-03")
    for code, name, day in (
        ("71493000", "Transfusion of packed red blood cells (procedure)", "2024-05-03"),
        ("80146002", "Appendectomy (procedure)", "2024-06-03"),
    ):
        _add(record, clinical.FACT_KIND_PROCEDURE, CodedConcept(system=SNOMED, code=code, display=name), day)
    for code, name in (
        ("1049221", "Acetaminophen 325 MG / Oxycodone Hydrochloride 5 MG Oral Tablet"),
        ("896209", "60 ACTUAT Fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler"),
        ("106892", "insulin human, isophane 70 UNT/ML / Regular Insulin, Human 30 UNT/ML Suspension [Humulin]"),
    ):
        ordered = CodedConcept(system=RXNORM, code=code, display=name)
        _add(record, clinical.FACT_KIND_MEDICATION, ordered, "2024-05-03")
    sources = Sources.of(NOW, record.facts, identifiers=[record.patient])
    return Record(sources, sources.current)


def _add(
    record: RecordBuilder,
    kind: "clinical.FactKind.ValueType",
    concept: CodedConcept,
    day: str,
    coded: CodedConcept | None = None,
) -> None:
    record.add(ClinicalFact(kind=kind, code=concept, status=clinical.FACT_STATUS_ACTIVE, coded=coded), day)


RECORD = _record()


@pytest.mark.parametrize(("holds", "otherwise"), PAIRS)
def test_what_is_left_out_is_filled_in_and_compared(holds: str, otherwise: str) -> None:
    assert worst(claims(holds, RECORD)) is Verdict.SUPPORTED
    assert worst(claims(otherwise, RECORD)) is not Verdict.SUPPORTED
