"""LOINC codes that code names, each looked up in the table of observables by its id."""

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology.concepts import LOINC
from terminology.observables import by_id, observables


def loinc(identifier: str) -> str:
    """The code of an observable; KeyError for an id that is no row."""
    return by_id()[identifier].loinc


def concept(code: str) -> CodedConcept:
    """The concept of a code of the table, with its name; KeyError for a code that is no row."""
    return CodedConcept(system=LOINC, code=code, display=observables()[code].name)


ACR = loinc("albumin-creatinine-ratio")
ALBUMIN = loinc("albumin")
ANION_GAP = loinc("anion-gap")
AUTOPSY = loinc("autopsy-performed")
# What laboratories report as bicarbonate: total carbon dioxide.
BICARBONATE = loinc("total-carbon-dioxide")
BICARBONATE_ITSELF = loinc("bicarbonate")
BILIRUBIN = loinc("total-bilirubin")
BIRTH_DATE = loinc("birth-date")
BMI = loinc("body-mass-index")
CALCIUM = loinc("calcium")
CAUSE_OF_DEATH = loinc("cause-of-death")
CHLORIDE = loinc("chloride")
CHOLESTEROL = loinc("total-cholesterol")
CORONER = loinc("coroner-contacted")
CREATININE = loinc("creatinine")
# As the Vital Records Death Reporting guide of HL7 (STU 2.2, Observation Death Date) codes it.
DEATH = loinc("date-of-death")
DIASTOLIC = loinc("diastolic-blood-pressure")
EGFR = loinc("egfr")
FAMILY_HISTORY = loinc("family-history")
GLUCOSE = loinc("glucose")
HAEMOGLOBIN = loinc("haemoglobin")
HBA1C = loinc("hba1c")
HDL = loinc("hdl-cholesterol")
HEIGHT = loinc("body-height")
INJURY = loinc("injury-incident")
INR = loinc("inr")
LDL = loinc("ldl-cholesterol")
PLATELETS = loinc("platelets")
POTASSIUM = loinc("potassium")
SEX = loinc("administrative-sex")
SODIUM = loinc("sodium")
SYSTOLIC = loinc("systolic-blood-pressure")
TRIGLYCERIDES = loinc("triglycerides")
UREA_NITROGEN = loinc("urea-nitrogen")
WEIGHT = loinc("body-weight")
WHITE_BLOOD_CELLS = loinc("white-blood-cells")
