"""Builds patient records fact by fact, in the shape that ingestion gives them, for tests that reason over them."""

from datetime import UTC, date, datetime
from itertools import count

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.context_pb2 import CONTRADICTION_STATE_OPEN, Contradiction, Passage, RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept, PatientKey, Quantity
from terminology.concepts import ACT_CODE, CVX, ICD10CM, LOINC, RXNORM, SNOMED

PATIENT = PatientKey(id="NW-1", authority="NORTHWEST")


def stamp(day: str) -> Timestamp:
    """Noon UTC of an ISO day."""
    moment = Timestamp()
    moment.FromDatetime(datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).replace(hour=12))
    return moment


class RecordBuilder:
    """Adds facts and answers with their ids: `f1`, `f2` ... in the order of adding."""

    def __init__(self, patient: PatientKey = PATIENT) -> None:
        self.patient = patient
        self.facts: list[RecordedFact] = []
        self.passages: list[Passage] = []
        self.contradictions: list[Contradiction] = []
        self._numbers = count(1)

    def add(self, fact: ClinicalFact, day: str = "", end: str = "", *, stated: str = "") -> str:
        """Any fact; id, patient, source and times are filled in where they are empty. It is stated on `stated`, else on
        the day it begins; what has neither, on 1 January 2024.
        """
        number = next(self._numbers)
        fact.fact_id = fact.fact_id or f"f{number}"
        if not fact.HasField("patient"):
            fact.patient.CopyFrom(self.patient)
        if day:
            fact.valid_from.CopyFrom(stamp(day))
        if end:
            fact.valid_to.CopyFrom(stamp(end))
        fact.assertion = fact.assertion or clinical.ASSERTION_PRESENT
        fact.provenance = fact.provenance or clinical.PROVENANCE_STRUCTURED
        fact.confidence = fact.confidence or 1.0
        said = stamp(stated or "2024-01-01")
        fact.stated_at.CopyFrom(fact.valid_from if fact.HasField("valid_from") and not stated else said)
        fact.source.event_id, fact.source.control_id = fact.source.event_id or f"event-{number}", f"MSG{number:04}"
        fact.source.segment, fact.source.field = fact.source.segment or "OBX[1]", fact.source.field or "OBX-5"
        recorded = RecordedFact(fact=fact)
        recorded.recorded_at.CopyFrom(fact.stated_at)
        self.facts.append(recorded)
        return fact.fact_id

    def result(
        self, loinc: str, display: str, value: str, unit: str, day: str, *, stated: str = "", **fields: object
    ) -> str:
        """A final result at one instant; without a day its time is not stated."""
        fact = ClinicalFact(
            kind=clinical.FACT_KIND_RESULT,
            code=CodedConcept(system=LOINC, code=loinc, display=display),
            quantity=Quantity(value=value, unit=unit),
            status=clinical.FACT_STATUS_FINAL,
            **fields,  # type: ignore[arg-type]
        )
        return self.add(fact, day, day, stated=stated)

    def susceptibility(self, organism: str, drug: str, interpretation: str, day: str) -> str:
        """What an organism is to a drug: S, I or R."""
        fact = ClinicalFact(
            kind=clinical.FACT_KIND_RESULT,
            code=CodedConcept(system="urn:longitude:local:LAB", code=drug.upper(), display=drug),
            about=CodedConcept(system="urn:longitude:local:LAB", code=organism.upper(), display=organism),
            text=interpretation,
            status=clinical.FACT_STATUS_FINAL,
        )
        return self.add(fact, day, day)

    def creatinine(self, value: str, day: str) -> str:
        return self.result("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", value, "mg/dL", day)

    def egfr(self, value: str, day: str) -> str:
        return self.result("33914-3", "Glomerular filtration rate", value, "mL/min/{1.73_m2}", day)

    def potassium(self, value: str, day: str) -> str:
        return self.result("2823-3", "Potassium [Moles/volume] in Serum or Plasma", value, "mmol/L", day)

    def born(self, day: str, sex: str = "F") -> tuple[str, str]:
        """Birth date and administrative sex."""
        birth = ClinicalFact(
            kind=clinical.FACT_KIND_DEMOGRAPHIC,
            code=CodedConcept(system=LOINC, code="21112-8", display="Birth date"),
            text=day,
        )
        gender = ClinicalFact(
            kind=clinical.FACT_KIND_DEMOGRAPHIC,
            code=CodedConcept(system=LOINC, code="46098-0", display="Sex"),
            text=sex,
        )
        return self.add(birth), self.add(gender)

    def medication(  # noqa: PLR0913 - an order has many sides, and a test names only those it is about
        self,
        rxcui: str,
        name: str,
        day: str,
        *,
        dose: str = "",
        unit: str = "mg",
        frequency: str = "",
        end: str = "",
        until: str = "",
        stated: str = "",
        ordered: bool = False,
    ) -> str:
        """An order from a day: without an end, to be taken `until` one, stopped at its `end`, or not carried out yet.

        Without a day its start is not stated.
        """
        state = clinical.FACT_STATUS_ENDED if end else clinical.FACT_STATUS_ACTIVE
        fact = ClinicalFact(
            kind=clinical.FACT_KIND_MEDICATION,
            code=CodedConcept(system=RXNORM, code=rxcui, display=name),
            status=clinical.FACT_STATUS_ORDERED if ordered else state,
        )
        if dose:
            fact.dosage.dose.value, fact.dosage.dose.unit, fact.dosage.route = dose, unit, "oral"
            fact.dosage.frequency = frequency
        return self.add(fact, day, end or until, stated=stated)

    def problem(
        self, code: str, display: str, day: str, *, end: str = "", stated: str = "", absent: bool = False
    ) -> str:
        fact = ClinicalFact(
            kind=clinical.FACT_KIND_PROBLEM,
            code=CodedConcept(system=ICD10CM, code=code, display=display),
            status=clinical.FACT_STATUS_ENDED if end else clinical.FACT_STATUS_ACTIVE,
            assertion=clinical.ASSERTION_ABSENT if absent else clinical.ASSERTION_PRESENT,
        )
        return self.add(fact, day, end, stated=stated)

    def allergy(
        self,
        code: str,
        display: str,
        day: str,
        *,
        reaction: str = "",
        severity: str = "",
        stated: str = "",
        absent: bool = False,
    ) -> str:
        fact = ClinicalFact(
            kind=clinical.FACT_KIND_ALLERGY,
            code=CodedConcept(system=SNOMED, code=code, display=display),
            status=clinical.FACT_STATUS_ACTIVE,
            assertion=clinical.ASSERTION_ABSENT if absent else clinical.ASSERTION_PRESENT,
            note=reaction,
            severity=CodedConcept(display=severity) if severity else None,
        )
        return self.add(fact, day, stated=stated)

    def procedure(self, code: str, display: str, day: str) -> str:
        """What was done on a day."""
        concept = CodedConcept(system=SNOMED, code=code, display=display)
        return self._done(clinical.FACT_KIND_PROCEDURE, concept, day)

    def immunization(self, cvx: str, display: str, day: str) -> str:
        return self._done(clinical.FACT_KIND_IMMUNIZATION, CodedConcept(system=CVX, code=cvx, display=display), day)

    def _done(self, kind: clinical.FactKind.ValueType, concept: CodedConcept, day: str) -> str:
        return self.add(ClinicalFact(kind=kind, code=concept, status=clinical.FACT_STATUS_FINAL), day, day)

    def encounter(self, display: str, day: str, end: str = "") -> str:
        fact = ClinicalFact(
            kind=clinical.FACT_KIND_ENCOUNTER,
            code=CodedConcept(system=ACT_CODE, code="IMP", display=display),
            status=clinical.FACT_STATUS_ENDED if end else clinical.FACT_STATUS_ACTIVE,
        )
        return self.add(fact, day, end)

    def film_finding(self, code: str, display: str, probability: float, day: str, *, absent: bool = False) -> str:
        fact = ClinicalFact(
            kind=clinical.FACT_KIND_IMAGING_FINDING,
            code=CodedConcept(system=SNOMED, code=code, display=display),
            status=clinical.FACT_STATUS_FINAL,
            assertion=clinical.ASSERTION_ABSENT if absent else clinical.ASSERTION_PRESENT,
            provenance=clinical.PROVENANCE_COMPUTED_FROM_IMAGE,
            confidence=probability,
        )
        return self.add(fact, day, day)

    def supersede(self, old: str, new: str, day: str) -> None:
        """A later statement took the place of an earlier one."""
        for each in self.facts:
            if each.fact.fact_id == old:
                each.superseded_by = new
                each.superseded_at.CopyFrom(stamp(day))

    def passage(self, passage_id: str, text: str, *, source: str = "Test guideline", grade: str = "1B") -> str:
        """Words of a guideline."""
        title, kind = f"Title of {passage_id}", "guideline"
        self.passages.append(
            Passage(passage_id=passage_id, title=title, text=text, source=source, source_kind=kind, grade=grade)
        )
        return passage_id

    def contradiction(self, rule: str, *fact_ids: str) -> str:
        """An open contradiction between facts."""
        name = f"contradiction-{len(self.contradictions) + 1}"
        self.contradictions.append(
            Contradiction(
                contradiction_id=name,
                rule=rule,
                fact_ids=fact_ids,
                state=CONTRADICTION_STATE_OPEN,
            )
        )
        return name
