"""LAKESIDE CLINIC: HL7 2.3.1, other delimiters, ISO-8859-1, own codes, umol/L. It saw the penicillin reaction."""

import base64
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from terminology import units

from demo.authoring import letters
from demo.authoring.dialect import LAKESIDE as SELF
from demo.authoring.dialect import Field, Segment
from demo.authoring.kidney import egfr
from demo.authoring.page import AUTHORED as PAGE_AUTHORED
from demo.authoring.segments import Code, Draft, Reading, Visit, diagnosis, event, no_visit, observations, report, visit

PATIENT = ("88-1306", "", "", "LAKESIDE", "PI")
DOCTOR = ("LK9", "Müller-Beispiel", "Jörg")
STAY = Visit("LK-77120", "I", "STATION 2", DOCTOR, SELF.when(2025, 2, 10, 14, 5))
REGISTRATION = replace(STAY, patient_class="E", admitted=SELF.when(2025, 2, 10, 13, 40))

LAB, DRUGS = "LKLAB", "LKRX"
PYELONEPHRITIS = ("N10", "Akute Pyelonephritis", "I10")
DIABETES = ("E11.9", "Diabetes mellitus Typ 2", "I10")
METFORMIN = ("MET1000", "Metformin 1000 mg", DRUGS)
LISINOPRIL = ("LISI20", "Lisinopril 20 mg", DRUGS)
AMOXICILLIN = ("AMOX1G", "Amoxicillin 1 g", DRUGS)
CIPROFLOXACIN = ("CIPRO500", "Ciprofloxacin 500 mg", DRUGS)


def messages(page: bytes) -> list[Draft]:
    """Everything LAKESIDE sends, in order of time. `page` is the scanned page as PNG."""
    return [*_second_encounter(), *_outpatient(page), *_after_the_merge()]


def _second_encounter() -> list[Draft]:
    enters, leaves = STAY.admitted, SELF.when(2025, 2, 14, 11, 0)
    diagnoses = [diagnosis(1, PYELONEPHRITIS, SELF, enters, "A"), diagnosis(2, DIABETES, SELF, enters, "A")]
    return [
        _adt("ADT_A04", REGISTRATION.admitted, REGISTRATION),
        _adt("ADT_A01", enters, STAY, diagnoses),
        _vitals(SELF.when(2025, 2, 10, 14, 20), 128, 74, 80.7, STAY),
        _chemistry(SELF.when(2025, 2, 10, 14, 30), 108, 4.8, 7.6, STAY),
        _blood(SELF.when(2025, 2, 10, 14, 30), 126, 57, STAY),
        _order("NW", "LK-M-1", SELF.when(2025, 2, 10, 15, 30), AMOXICILLIN, "1000", "TID"),
        _order("DC", "LK-M-1", SELF.when(2025, 2, 10, 16, 10), AMOXICILLIN, "1000", "TID"),
        _order("NW", "LK-M-2", SELF.when(2025, 2, 10, 17, 0), CIPROFLOXACIN, "500", "BID", SELF.when(2025, 2, 20)),
        _potassium(SELF.when(2025, 2, 12, 9, 0), 6.9, "F"),
        _potassium(SELF.when(2025, 2, 12, 11, 45), 4.9, "C"),
        _letter("LK-DOC-1", SELF.when(2025, 2, 14, 10, 30), letters.DISCHARGE, STAY),
        _adt("ADT_A03", leaves, STAY, [diagnosis(1, PYELONEPHRITIS, SELF, leaves, "F")], leaves),
    ]


def _outpatient(page: bytes) -> list[Draft]:
    return [
        _chemistry(SELF.when(2025, 4, 22, 8, 0), 114, 4.9, 8.2),
        _order("NW", "LK-M-3", SELF.when(2025, 4, 22, 10, 0), METFORMIN, "1000", "BID"),
        _order("NW", "LK-M-4", SELF.when(2025, 4, 22, 10, 2), LISINOPRIL, "20", "QD"),
        _vitals(SELF.when(2025, 4, 22, 8, 20), 136, 80, 80.2),
        _scan(SELF.when(2025, 7, 9, 9, 0), page),
    ]


def _after_the_merge() -> list[Draft]:
    """LAKESIDE never learns of the merge and goes on with its own number."""
    return [
        _chemistry(SELF.when(2026, 1, 20, 8, 0), 138, 5.2, 11.4),
        _blood(SELF.when(2026, 1, 20, 8, 0), 116, 53),
        _vitals(SELF.when(2026, 1, 20, 8, 25), 140, 82, 79.1),
        _letter("LK-DOC-2", SELF.when(2026, 1, 20, 12, 0), letters.KIDNEY_CLINIC, None),
        _adt("ADT_A08", SELF.when(2026, 1, 21, 9, 0), None),
        _chemistry(SELF.when(2026, 7, 21, 8, 0), 155, 5.4, 13.6),
        _blood(SELF.when(2026, 7, 21, 8, 0), 112, 52),
        _vitals(SELF.when(2026, 7, 21, 8, 25), 144, 84, 78.0),
    ]


# --- what the patient is --------------------------------------------------------------------------------------------


def _person() -> Segment:
    address = ("Beispielgaße 3", "", "Musterstadt", "", "00000")
    return Segment("PID", {1: "1", 3: PATIENT, 5: ("Testperson", "Renée"), 7: "19570418", 8: "F", 11: address})


def _stay(stay: Visit | None, discharged: datetime | None = None) -> Segment:
    return visit(SELF, stay, discharged) if stay else no_visit()


def _adt(
    kind: str, at: datetime, stay: Visit | None, more: list[Segment] | None = None, discharged: datetime | None = None
) -> Draft:
    return Draft(SELF, at, kind, [event(SELF, kind, at), _person(), _stay(stay, discharged), *(more or [])])


# --- what was measured ----------------------------------------------------------------------------------------------


def _panel(name: Code, at: datetime, readings: list[Reading], stay: Visit | None, order: str = "") -> Draft:
    head = report(SELF, order or f"LK-{name[0]}-{at:%Y%m%d}", name, at, readings[0].status)
    return Draft(SELF, at, "ORU_R01", [_person(), _stay(stay), head, *observations(SELF, readings, at)])


def _local(code: str, name: str, value: float, unit: str, reference: str = "", flag: str = "") -> Reading:
    return Reading((code, name, LAB), f"{value:g}", unit, reference, flag)


def _chemistry(at: datetime, creatinine: int, potassium: float, urea: float, stay: Visit | None = None) -> Draft:
    in_mass = units.convert(Decimal(creatinine), "umol/L", "mg/dL", "creatinine")
    assert in_mass is not None, "creatinine has a molar mass"
    rate = egfr(float(in_mass), at.date())
    readings = [
        _local("KREA", "Kreatinin", creatinine, "umol/L", "49-90", "H" if creatinine > 90 else ""),
        _local("GFR", "eGFR CKD-EPI", rate, "mL/min/1.73m2", ">60", "L" if rate < 60 else ""),
        _local("K", "Kalium", potassium, "mmol/L", "3.5-5.1", "H" if potassium > 5.1 else ""),
        _local("HST", "Harnstoff", urea, "mmol/L", "2.8-8.1", "H" if urea > 8.1 else ""),
    ]
    return _panel(("KLCH", "Klinische Chemie", LAB), at, readings, stay)


def _blood(at: datetime, haemoglobin: int, hba1c: int, stay: Visit | None = None) -> Draft:
    readings = [
        _local("HB", "Hämoglobin", haemoglobin, "g/L", "120-155", "L" if haemoglobin < 120 else ""),
        _local("HBA1C", "HbA1c", hba1c, "mmol/mol", "20-42", "H"),
    ]
    return _panel(("BB", "Blutbild und HbA1c", LAB), at, readings, stay)


def _vitals(at: datetime, systolic: int, diastolic: int, weight: float, stay: Visit | None = None) -> Draft:
    readings = [
        _local("SBP", "Blutdruck systolisch", systolic, "mmHg"),
        _local("DBP", "Blutdruck diastolisch", diastolic, "mmHg"),
        _local("GEW", "Gewicht", weight, "kg"),
    ]
    return _panel(("VIT", "Vitalzeichen", LAB), at, readings, stay)


def _potassium(reported: datetime, value: float, status: str) -> Draft:
    """One result of 12 February, first from a haemolysed sample, then corrected (OBX-11 C) under the same order."""
    flag = "HH" if value > 6 else ""
    reading = Reading(("K", "Kalium", LAB), f"{value:g}", "mmol/L", "3.5-5.1", flag, status)
    drawn = SELF.when(2025, 2, 12, 8, 10)
    panel = ("KLCH", "Klinische Chemie", LAB)
    body = [_person(), _stay(STAY), report(SELF, "LK-KLCH-20250212", panel, drawn, status)]
    return Draft(SELF, reported, "ORU_R01", [*body, *observations(SELF, [reading], drawn)])


def _scan(at: datetime, page: bytes) -> Draft:
    """An outside laboratory's printed page, scanned and sent inside OBX-5 as encapsulated data."""
    data = ("KISLAB", "IM", "PNG", "Base64", base64.b64encode(page).decode("ascii"))
    scan = Reading(("BEFUND", "Laborbefund extern (Scan)", LAB), data, value_type="ED")
    body = [_person(), _stay(None), report(SELF, "LK-SCAN-1", ("BEFUND", "Laborbefund extern", LAB), PAGE_AUTHORED)]
    return Draft(SELF, at, "ORU_R01", [*body, *observations(SELF, [scan], PAGE_AUTHORED)])


# --- what was written and ordered -----------------------------------------------------------------------------------


def _letter(number: str, at: datetime, text: str, stay: Visit | None) -> Draft:
    """MDM^T02 with one TX observation for each paragraph."""
    details: dict[int, Field] = {1: "1", 2: "DS", 3: "TX", 4: SELF.time(at), 12: number, 17: "AU"}
    lines = [Reading(("BRIEF", "Arztbrief", LAB), line, value_type="TX") for line in text.splitlines()]
    body = [event(SELF, "MDM_T02", at), _person(), _stay(stay), Segment("TXA", details)]
    return Draft(SELF, at, "MDM_T02", [*body, *observations(SELF, lines, at)])


def _order(
    control: str, number: str, at: datetime, drug: Code, dose: str, frequency: str, until: datetime | None = None
) -> Draft:
    """ORM^O01 with the timing in ORC-7, as version 2.3.1 has it."""
    start = SELF.when(2025, 2, 10, 15, 30) if control == "DC" else at
    timing = ("1", frequency, "", SELF.time(start), SELF.time(until) if until else "")
    stay = STAY if at < SELF.when(2025, 3, 1) else None
    body = [
        _person(),
        _stay(stay),
        Segment("ORC", {1: control, 2: number, 7: timing, 9: SELF.time(at), 12: DOCTOR, 15: SELF.time(at)}),
        Segment("RXO", {1: drug, 2: dose, 4: "mg"}),
        Segment("RXR", {1: ("PO", "oral", "HL70162")}),
    ]
    return Draft(SELF, at, "ORM_O01", body)
