"""A record like the one the platform is for: kidneys that fail while the drugs go on."""

from datetime import UTC, datetime

from grounding import Sources
from longitude.record.v1.fact_pb2 import PROVENANCE_READ_FROM_TEXT
from practice.records import RecordBuilder

NOW = datetime(2026, 10, 7, tzinfo=UTC)

PASSAGES = {
    "fda-metformin-renal": "Metformin is contraindicated when eGFR is below 30 mL/min/1.73 m2.",
    "fda-nsaid-acei-renal": "An NSAID taken with an ACE inhibitor may make kidney function worse.",
    "kdigo-2024-nsaid": "Avoid prolonged NSAID treatment when GFR is below 60 mL/min/1.73 m2.",
    "aaaai-2022-penicillin-allergy": "A penicillin allergy label should be evaluated by its history.",
    "kdigo-2024-progression": "Rapid progression means a sustained decline of more than 5 mL/min/1.73 m2 per year.",
    "fda-acei-hyperkalaemia": "ACE inhibitors can raise serum potassium.",
}


def failing_kidneys() -> tuple[RecordBuilder, dict[str, str]]:
    """The builder, to add to, and fact ids by what they are."""
    record, ids = RecordBuilder(), {}
    ids["born"], ids["sex"] = record.born("19570418")
    for name, creatinine, egfr, potassium, day in (
        ("1", "0.92", "68", "4.3", "2024-03-12"),
        ("2", "1.21", "49", "4.8", "2025-02-10"),
        ("3", "1.95", "28", "5.6", "2026-10-05"),
    ):
        ids[f"cr{name}"], ids[f"egfr{name}"] = record.creatinine(creatinine, day), record.egfr(egfr, day)
        ids[f"k{name}"] = record.potassium(potassium, day)
    ids["stay"] = record.encounter("Inpatient", "2025-02-10", "2025-02-14")
    ids["metformin"] = record.medication("6809", "metformin", "2024-03-12", dose="1000", frequency="BID")
    ids["lisinopril"] = record.medication("29046", "lisinopril", "2024-03-12", dose="20", frequency="QD")
    ids["amoxicillin"] = record.medication("723", "amoxicillin", "2025-02-10", end="2025-02-14")
    ids["naproxen"] = record.medication("7258", "naproxen", "2026-10-06", dose="500", ordered=True)
    ids["none"] = record.allergy("716186003", "No known allergies", "2024-03-12", absent=True)
    ids["penicillin"] = record.allergy("764146007", "Penicillin", "2025-02-14", reaction="anaphylaxis")
    record.facts[-1].fact.provenance = PROVENANCE_READ_FROM_TEXT
    ids["ckd"] = record.problem("N18.4", "Chronic kidney disease, stage 4", "2026-10-05")
    ids["opacity"] = record.film_finding("128305008", "opacity", 0.87, "2026-10-05")
    ids["effusion"] = record.film_finding("60046008", "pleural effusion", 0.96, "2026-10-05", absent=True)
    ids["pneumothorax"] = record.film_finding("36118008", "pneumothorax", 0.99, "2026-10-05", absent=True)
    record.contradiction("no-known-allergies", ids["none"], ids["penicillin"])
    for name, text in PASSAGES.items():
        record.passage(name, text)
    return record, ids


def sources_of(record: RecordBuilder) -> Sources:
    return Sources.of(NOW, record.facts, record.passages, record.contradictions, [record.patient])
