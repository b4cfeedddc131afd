"""An invented patient with everything that the checks of grounding are about, and a verifier over her record."""

from dataclasses import dataclass
from datetime import UTC, datetime

from grounding import Sources, Verified, Verifier
from longitude.reasoning.v1.assessment_pb2 import Citation
from practice.records import RecordBuilder


@dataclass(frozen=True)
class Patient:
    """Fact ids by what they are, the sources built from them, and how to check a text."""

    ids: dict[str, str]
    sources: Sources
    verifier: Verifier

    def check(self, text: str, *names: str) -> Verified:
        """Verifies a text that cites the facts and passages with these names."""
        return self.verifier.verify(text, [self.cite(name) for name in names])

    def cite(self, name: str) -> Citation:
        held = self.ids[name]
        return Citation(passage_id=held) if self.sources.has_passage(held) else Citation(fact_id=held)


def example_patient() -> Patient:
    """Two years of failing kidneys: results, drugs, allergies, problems, a film, a passage of a label."""
    record = RecordBuilder()
    ids: dict[str, str] = {}
    ids["born"], ids["sex"] = record.born("19570418")
    for name, value, day in (
        ("cr1", "0.92", "2024-03-12"),
        ("cr2", "1.21", "2025-02-10"),
        ("cr3", "1.95", "2026-10-05"),
    ):
        ids[name] = record.creatinine(value, day)
    ids["k"] = record.potassium("5.6", "2026-10-05")
    ids["metformin"] = record.medication("6809", "metformin", "2024-03-12", dose="1000", frequency="BID")
    ids["lisinopril"] = record.medication("29046", "lisinopril", "2024-03-12", dose="20", frequency="QD")
    ids["amoxicillin"] = record.medication("723", "amoxicillin", "2025-02-10", dose="1000", end="2025-02-14")
    ids["naproxen"] = record.medication("7258", "naproxen", "2026-10-06", dose="500", ordered=True)
    ids["penicillin"] = record.allergy("764146007", "Penicillin", "2025-02-14", reaction="anaphylaxis")
    ids["none"] = record.allergy("716186003", "No known allergies", "2024-03-12", absent=True)
    ids["ckd"] = record.problem("N18.4", "Chronic kidney disease, stage 4", "2026-10-05")
    ids["knee"] = record.problem("M17.12", "Osteoarthritis, left knee", "2026-10-05")
    ids["mother"] = record.problem("Z80.3", "Family history of breast cancer", "2024-03-12")
    ids["bronchitis"] = record.problem("J20.9", "Acute bronchitis", "2024-10-01", end="2024-10-23")
    ids["no_stroke"] = record.problem("I63.9", "Cerebral infarction", "2024-03-12", absent=True)
    ids["opacity"] = record.film_finding("128305008", "opacity", 0.87, "2026-10-05")
    ids["no_effusion"] = record.film_finding("60046008", "pleural effusion", 0.97, "2026-10-05", absent=True)
    ids["label"] = record.passage(
        "label", "Metformin is contraindicated below an eGFR of 30 mL/min/1.73 m2. Assess benefit between 30 and 45."
    )
    moment = datetime(2026, 10, 7, tzinfo=UTC)
    sources = Sources.of(moment, record.facts, record.passages, record.contradictions, [record.patient])
    return Patient(ids, sources, Verifier(sources))
