"""NORTHWEST GENERAL: HL7 2.5.1, UTF-8, LOINC, RxNorm, ICD-10-CM and mg/dL. It believes there are no allergies."""

from dataclasses import dataclass
from datetime import datetime

from demo.authoring import letters
from demo.authoring.dialect import NORTHWEST as SELF
from demo.authoring.dialect import Field, Segment
from demo.authoring.kidney import egfr
from demo.authoring.segments import Code, Draft, Reading, Visit, diagnosis, event, no_visit, observations, report, visit

PATIENT = ("NW-204417", "", "", "NORTHWEST", "MR")
DOCTOR = ("NWD17", "Musterarzt", "Paul")

CHECKUP = Visit("NW-V-1001", "O", "CLINIC", DOCTOR, SELF.when(2024, 3, 12, 8, 50))
ADMISSION = Visit("NW-V-3003", "I", "WARD3", DOCTOR, SELF.when(2026, 10, 5, 7, 40))

HYPERTENSION = ("I10", "Essential (primary) hypertension", "I10C")
DIABETES = ("E11.9", "Type 2 diabetes mellitus without complications", "I10C")
DIABETIC_KIDNEY = ("E11.22", "Type 2 diabetes mellitus with diabetic chronic kidney disease", "I10C")
KNEE_PAIN = ("M25.561", "Pain in right knee", "I10C")
BRONCHITIS = ("J20.9", "Acute bronchitis, unspecified", "I10C")


def messages() -> list[Draft]:
    """Everything NORTHWEST sends, in order of time."""
    return [*_first_encounter(), *_between(), *_after_the_merge(), *_third_encounter()]


def _first_encounter() -> list[Draft]:
    seen = SELF.when(2024, 3, 12, 9, 30)
    leaves = SELF.when(2024, 3, 12, 11, 30)
    return [
        _adt(
            "ADT_A04",
            CHECKUP.admitted,
            CHECKUP,
            [_no_allergies(), *_diagnoses(CHECKUP.admitted, HYPERTENSION, DIABETES)],
        ),
        _vitals(SELF.when(2024, 3, 12, 9, 5), 142, 84, 81.4, CHECKUP),
        _metabolic(seen, 0.93, 4.3, 16, CHECKUP),
        _blood_count(seen, 13.4, CHECKUP),
        _hba1c(seen, 7.6, CHECKUP),
        _albuminuria(seen, 24, CHECKUP),
        _prescribe(Order("NW-RX-1", METFORMIN, "1000", "BID", SELF.when(2024, 3, 12, 10, 30)), CHECKUP),
        _prescribe(Order("NW-RX-2", LISINOPRIL, "20", "QD", SELF.when(2024, 3, 12, 10, 32)), CHECKUP),
        _prescribe(Order("NW-RX-3", ATORVASTATIN, "40", "QD", SELF.when(2024, 3, 12, 10, 34)), CHECKUP),
        _letter("NW-DOC-1", SELF.when(2024, 3, 12, 11, 0), letters.CHECKUP, CHECKUP),
        _adt("ADT_A03", leaves, CHECKUP, [*_diagnoses(leaves, HYPERTENSION, DIABETES)], discharged=leaves),
    ]


def _between() -> list[Draft]:
    return [
        _adt("ADT_A08", SELF.when(2024, 5, 2, 14, 10), None, []),
        _metabolic(SELF.when(2024, 6, 18, 8, 15), 0.99, 4.4, 17),
        _hba1c(SELF.when(2024, 6, 18, 8, 15), 7.4),
        _vitals(SELF.when(2024, 6, 18, 8, 40), 148, 86, 81.9),
        _order(Order("NW-RX-4", AMLODIPINE, "5", "QD", SELF.when(2024, 6, 18, 9, 5))),
        _problem("PPR_PC1", SELF.when(2024, 10, 2, 10, 20), BRONCHITIS, None),
        _prescribe(Order("NW-RX-5", DOXYCYCLINE, "100", "BID", SELF.when(2024, 10, 2, 10, 30), SELF.when(2024, 10, 9))),
        _problem("PPR_PC2", SELF.when(2024, 10, 23, 9, 0), BRONCHITIS, SELF.when(2024, 10, 23)),
        _metabolic(SELF.when(2024, 11, 5, 8, 20), 1.08, 4.6, 19),
        _albuminuria(SELF.when(2024, 11, 5, 8, 20), 86),
        _hba1c(SELF.when(2024, 11, 5, 8, 20), 7.3),
    ]


def _after_the_merge() -> list[Draft]:
    return [
        _merge(SELF.when(2025, 9, 15, 13, 0)),
        _adt("ADT_A08", SELF.when(2025, 9, 15, 13, 5), None, [_no_allergies()]),
        _metabolic(SELF.when(2025, 10, 7, 8, 10), 1.46, 5.1, 29),
        _hba1c(SELF.when(2025, 10, 7, 8, 10), 7.0),
        _blood_count(SELF.when(2025, 10, 7, 8, 10), 11.8),
        _vitals(SELF.when(2025, 10, 7, 8, 35), 138, 80, 79.6),
        _metabolic(SELF.when(2026, 4, 14, 8, 25), 1.64, 5.3, 34),
        _albuminuria(SELF.when(2026, 4, 14, 8, 25), 310),
        _vitals(SELF.when(2026, 4, 14, 8, 50), 134, 78, 78.8),
        _stop(Order("NW-RX-4", AMLODIPINE, "5", "QD", SELF.when(2024, 6, 18, 9, 5), SELF.when(2026, 4, 14, 9, 30))),
        _letter("NW-DOC-2", SELF.when(2026, 4, 14, 10, 0), letters.CLINIC, None),
    ]


def _third_encounter() -> list[Draft]:
    enters = ADMISSION.admitted
    return [
        _adt(
            "ADT_A01",
            enters,
            ADMISSION,
            [_no_allergies(), *_diagnoses(enters, KNEE_PAIN, HYPERTENSION, DIABETIC_KIDNEY)],
        ),
        _vitals(SELF.when(2026, 10, 5, 8, 0), 152, 88, 77.2, ADMISSION),
        _metabolic(SELF.when(2026, 10, 5, 8, 20), 1.92, 5.6, 43, ADMISSION),
        _blood_count(SELF.when(2026, 10, 5, 8, 20), 10.9, ADMISSION),
        _hba1c(SELF.when(2026, 10, 5, 8, 20), 6.9, ADMISSION),
        _prescribe(Order("NW-RX-6", METFORMIN, "1000", "BID", SELF.when(2026, 10, 5, 9, 40)), ADMISSION),
        _prescribe(Order("NW-RX-7", LISINOPRIL, "20", "QD", SELF.when(2026, 10, 5, 9, 42)), ADMISSION),
        _film_report(SELF.when(2026, 10, 5, 11, 20)),
        _letter("NW-DOC-3", SELF.when(2026, 10, 5, 12, 0), letters.ADMISSION, ADMISSION),
        _prescribe(Order("NW-RX-8", NAPROXEN, "500", "BID", SELF.when(2026, 10, 6, 9, 15)), ADMISSION),
    ]


# --- what the patient is --------------------------------------------------------------------------------------------


def _person() -> Segment:
    address = ("7 Example Street", "", "Sampletown", "", "00000")
    return Segment(
        "PID", {1: "1", 3: PATIENT, 5: ("Testperson", "Renée", "M"), 7: "19570418", 8: "F", 11: address, 13: "555-0100"}
    )


def _no_allergies() -> Segment:
    return Segment("AL1", {1: "1", 2: "DA", 3: ("716186003", "No known allergies", "SCT")})


def _diagnoses(at: datetime, *codes: Code) -> list[Segment]:
    return [diagnosis(n, code, SELF, at) for n, code in enumerate(codes, start=1)]


def _adt(kind: str, at: datetime, stay: Visit | None, more: list[Segment], discharged: datetime | None = None) -> Draft:
    return Draft(SELF, at, kind, [event(SELF, kind, at), _person(), *_stay(stay, discharged), *more])


def _stay(stay: Visit | None, discharged: datetime | None = None) -> list[Segment]:
    if stay is None:
        return [no_visit()]
    return [visit(SELF, stay, discharged)]


def _merge(at: datetime) -> Draft:
    """The registry finds that LAKESIDE's 88-1306 is the same person."""
    retired = ("88-1306", "", "", "LAKESIDE", "PI")
    return Draft(SELF, at, "ADT_A40", [event(SELF, "ADT_A40", at), _person(), Segment("MRG", {1: retired})])


def _problem(kind: str, at: datetime, code: Code, resolved: datetime | None) -> Draft:
    fields: dict[int, Field] = {1: "UP" if resolved else "AD", 2: SELF.time(at), 3: code, 4: "NW-PRB-1"}
    fields |= {7: SELF.time(SELF.when(2024, 10, 2)), 14: "RESOLVED" if resolved else "ACTIVE"}
    if resolved:
        fields[9] = SELF.time(resolved)
    return Draft(SELF, at, kind, [_person(), *_stay(None), Segment("PRB", dict(sorted(fields.items())))])


# --- what was measured ----------------------------------------------------------------------------------------------


def _panel(code: Code, at: datetime, readings: list[Reading], stay: Visit | None) -> Draft:
    order = f"NW-{code[0]}-{at:%Y%m%d}"
    body = [_person(), *_stay(stay), report(SELF, order, code, at), *observations(SELF, readings, at)]
    return Draft(SELF, at, "ORU_R01", body)


def _loinc(code: str, name: str, value: float, unit: str, reference: str, flag: str = "") -> Reading:
    return Reading((code, name, "LN"), f"{value:g}", unit, reference, flag)


def _metabolic(at: datetime, creatinine: float, potassium: float, urea: float, stay: Visit | None = None) -> Draft:
    rate = egfr(creatinine, at.date())
    readings = [
        _loinc("2160-0", "Creatinine", creatinine, "mg/dL", "0.55-1.02", "H" if creatinine > 1.02 else ""),
        _loinc("33914-3", "eGFR CKD-EPI 2021", rate, "mL/min/1.73m2", ">60", "L" if rate < 60 else ""),
        _loinc("2823-3", "Potassium", potassium, "mmol/L", "3.5-5.1", "H" if potassium > 5.1 else ""),
        _loinc("3094-0", "Urea nitrogen", urea, "mg/dL", "7-20", "H" if urea > 20 else ""),
        _loinc("2951-2", "Sodium", 139, "mmol/L", "136-145"),
    ]
    return _panel(("24321-2", "Basic metabolic panel", "LN"), at, readings, stay)


def _blood_count(at: datetime, haemoglobin: float, stay: Visit | None = None) -> Draft:
    flag = "L" if haemoglobin < 12 else ""
    readings = [
        _loinc("718-7", "Hemoglobin", haemoglobin, "g/dL", "12.0-15.5", flag),
        _loinc("6690-2", "Leukocytes", 7.2, "10*3/uL", "4.0-10.5"),
        _loinc("777-3", "Platelets", 248, "10*3/uL", "150-400"),
    ]
    return _panel(("58410-2", "CBC panel", "LN"), at, readings, stay)


def _hba1c(at: datetime, value: float, stay: Visit | None = None) -> Draft:
    readings = [_loinc("4548-4", "Hemoglobin A1c", value, "%", "4.0-5.6", "H")]
    return _panel(("4548-4", "Hemoglobin A1c", "LN"), at, readings, stay)


def _albuminuria(at: datetime, ratio: float, stay: Visit | None = None) -> Draft:
    readings = [_loinc("9318-7", "Albumin/Creatinine urine", ratio, "mg/g", "<30", "H" if ratio >= 30 else "")]
    return _panel(("9318-7", "Albumin/Creatinine urine", "LN"), at, readings, stay)


def _vitals(at: datetime, systolic: int, diastolic: int, weight: float, stay: Visit | None = None) -> Draft:
    readings = [
        _loinc("8480-6", "Systolic blood pressure", systolic, "mm[Hg]", ""),
        _loinc("8462-4", "Diastolic blood pressure", diastolic, "mm[Hg]", ""),
        _loinc("29463-7", "Body weight", weight, "kg", ""),
    ]
    return _panel(("85353-1", "Vital signs", "LN"), at, readings, stay)


def _film_report(at: datetime) -> Draft:
    text = Reading(("36554-4", "XR Chest Single view", "LN"), letters.FILM_REPORT, value_type="FT")
    return _panel(("36554-4", "XR Chest Single view", "LN"), at, [text], ADMISSION)


# --- what was written -----------------------------------------------------------------------------------------------


def _letter(number: str, at: datetime, text: str, stay: Visit | None) -> Draft:
    """MDM^T02 with the whole text in one formatted OBX."""
    details: dict[int, Field] = {1: "1", 2: "CN", 3: "FT", 4: SELF.time(at), 12: number, 17: "AU"}
    note = Reading(("11488-4", "Consult note", "LN"), text, value_type="FT")
    body = [event(SELF, "MDM_T02", at), _person(), *_stay(stay), Segment("TXA", details)]
    return Draft(SELF, at, "MDM_T02", [*body, *observations(SELF, [note], at)])


# --- what was ordered -----------------------------------------------------------------------------------------------

METFORMIN = ("6809", "metformin", "RXNORM")
LISINOPRIL = ("29046", "lisinopril", "RXNORM")
ATORVASTATIN = ("83367", "atorvastatin", "RXNORM")
AMLODIPINE = ("17767", "amlodipine", "RXNORM")
DOXYCYCLINE = ("3640", "doxycycline", "RXNORM")
NAPROXEN = ("7258", "naproxen", "RXNORM")
TABLET = ("TAB", "Tablet", "HL70292")
BY_MOUTH = ("PO", "Oral", "HL70162")


@dataclass(frozen=True)
class Order:
    """A medication order as it stands; `start` and `end` bound its validity."""

    number: str
    drug: Code
    dose: str
    frequency: str
    start: datetime
    end: datetime | None = None


def _prescribe(order: Order, stay: Visit | None = None) -> Draft:
    """RDE^O11, a new pharmacy order."""
    return _pharmacy("NW", order, order.start, stay)


def _stop(order: Order) -> Draft:
    """RDE^O11 with ORC-1 DC: the order is discontinued at its end."""
    return _pharmacy("DC", order, order.end or order.start, None)


def _pharmacy(control: str, order: Order, at: datetime, stay: Visit | None) -> Draft:
    body = [
        _person(),
        *_stay(stay),
        _control(control, order, at),
        Segment("RXE", {2: order.drug, 3: order.dose, 5: "mg", 6: TABLET}),
        _timing(order),
        Segment("RXR", {1: BY_MOUTH}),
    ]
    return Draft(SELF, at, "RDE_O11", body)


def _order(order: Order) -> Draft:
    """ORM^O01: the clinic's older order screen still writes these."""
    body = [
        _person(),
        *_stay(None),
        _control("NW", order, order.start),
        _timing(order),
        Segment("RXO", {1: order.drug, 2: order.dose, 4: "mg", 5: TABLET}),
        Segment("RXR", {1: BY_MOUTH}),
    ]
    return Draft(SELF, order.start, "ORM_O01", body)


def _control(control: str, order: Order, at: datetime) -> Segment:
    return Segment("ORC", {1: control, 2: order.number, 9: SELF.time(at), 12: DOCTOR, 15: SELF.time(at)})


def _timing(order: Order) -> Segment:
    end = SELF.time(order.end) if order.end else ""
    return Segment("TQ1", {1: "1", 3: order.frequency, 7: SELF.time(order.start), 8: end})
