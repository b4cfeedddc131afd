"""What a code means to a reader: short names and synonyms of the concepts that the platform reasons about.

Guarantee: a concept's key is the same for every spelling of it, so names in a text and codes of facts compare.
"""

import re

from longitude.record.v1.fact_pb2 import CodedConcept

from grounding.drugs import BY_RXCUI, CLASS_NAMES, FORMULARY, RXNORM, DrugClass

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"

CREATININE = "2160-0"
EGFR = "33914-3"
POTASSIUM = "2823-3"
HBA1C = "4548-4"
ACR = "9318-7"
WEIGHT = "29463-7"
HEIGHT = "8302-2"
BMI = "39156-5"
SODIUM = "2951-2"
CHLORIDE = "2075-0"
BICARBONATE = "2028-9"
ANION_GAP = "33037-3"
CALCIUM = "17861-6"
ALBUMIN = "1751-7"
CHOLESTEROL = "2093-3"
HDL = "2085-9"
LDL = "13457-7"
TRIGLYCERIDES = "2571-8"
BIRTH_DATE = "21112-8"
SEX = "46098-0"
PENICILLIN_ALLERGEN = "764146007"
NO_KNOWN_ALLERGY = "716186003"
# eGFR as laboratories report it, by equation.
EGFR_CODES = frozenset({EGFR, "62238-1", "48642-3", "48643-1", "77147-7", "98979-8"})

# LOINC code -> short name, synonyms.
LABORATORY: dict[str, tuple[str, tuple[str, ...]]] = {
    CREATININE: ("creatinine", ("serum creatinine",)),
    EGFR: ("eGFR", ("estimated gfr", "estimated glomerular filtration rate", "kidney function", "renal function")),
    POTASSIUM: ("potassium", ("serum potassium",)),
    SODIUM: ("sodium", ("serum sodium",)),
    CHLORIDE: ("chloride", ("serum chloride",)),
    "3094-0": ("urea nitrogen", ("bun", "urea")),
    HBA1C: ("HbA1c", ("hemoglobin a1c", "haemoglobin a1c", "a1c")),
    "718-7": ("haemoglobin", ("hemoglobin",)),
    ACR: ("albumin/creatinine ratio", ("uacr", "urine albumin/creatinine ratio")),
    "8480-6": ("systolic blood pressure", ("systolic",)),
    "8462-4": ("diastolic blood pressure", ("diastolic",)),
    WEIGHT: ("body weight", ("weight",)),
    HEIGHT: ("body height", ("height",)),
    BMI: ("body mass index", ("bmi",)),
    "2345-7": ("glucose", ("blood glucose",)),
    CALCIUM: ("calcium", ()),
    ALBUMIN: ("albumin", ("serum albumin",)),
    CHOLESTEROL: ("total cholesterol", ("cholesterol",)),
    HDL: ("HDL cholesterol", ("hdl",)),
    LDL: ("LDL cholesterol", ("ldl",)),
    TRIGLYCERIDES: ("triglycerides", ()),
    "777-3": ("platelets", ("platelet count",)),
    "6690-2": ("white blood cells", ("leukocytes", "white cell count")),
    "6301-6": ("INR", ()),
    BICARBONATE: ("bicarbonate", ("carbon dioxide",)),
    ANION_GAP: ("anion gap", ()),
    BIRTH_DATE: ("birth date", ("date of birth", "born")),
    SEX: ("administrative sex", ("sex",)),
    "8867-4": ("heart rate", ("pulse",)),
    "10839-9": ("troponin I", ("troponin",)),
}


_SPECIMEN = re.compile(r"\] (?:in|of) (.+?)(?: by .*)?$")
_BLOOD = frozenset({"blood", "or", "plasma", "serum"})


def key(concept: CodedConcept) -> str:
    """`system|code`; eGFR codes of all equations share one key; codes without a system are known by their display."""
    if concept.system == LOINC and concept.code in EGFR_CODES:
        return f"{LOINC}|{EGFR}"
    if not concept.code:
        return f"display|{concept.display.strip().lower()}"
    return f"{concept.system}|{concept.code}"


def loinc_key(code: str) -> str:
    return f"{LOINC}|{code}"


def class_key(drug_class: DrugClass) -> str:
    return f"class|{drug_class.name}"


def loinc_of(keys: frozenset[str]) -> str:
    """The LOINC code among keys, or empty: what unit conversion needs."""
    prefix = f"{LOINC}|"
    return next((each.removeprefix(prefix) for each in sorted(keys) if each.startswith(prefix)), "")


CLASS_KEYS = frozenset(map(class_key, DrugClass))


def short_name(concept: CodedConcept) -> str:
    """What a reader calls it: the short name of a known code, else the display without laboratory brackets.

    The specimen stays where it is not blood: `Creatinine [Mass/volume] in Urine` is `Creatinine in urine`.
    """
    if concept.system == LOINC:
        known = LABORATORY.get(EGFR if concept.code in EGFR_CODES else concept.code)
        if known:
            return known[0]
    if concept.system == RXNORM and concept.code in BY_RXCUI:
        return BY_RXCUI[concept.code].name
    head = " ".join(concept.display.split(" [")[0].split())
    found = specimen(concept)
    return (f"{head} in {found}" if found else head) or concept.code


def specimen(concept: CodedConcept) -> str:
    """What a result is measured in, by a LOINC long common name, lower case; empty for blood, serum and plasma."""
    found = _SPECIMEN.search(concept.display)
    words = set(re.findall(r"\w+", found[1].lower())) if found else set()
    return "" if words <= _BLOOD or found is None else " ".join(found[1].lower().split())


def _lexicon() -> dict[str, frozenset[str]]:
    names: dict[str, set[str]] = {}
    for code, (short, synonyms) in LABORATORY.items():
        for name in (short, *synonyms):
            names.setdefault(name.lower(), set()).add(loinc_key(code))
    for drug in FORMULARY:
        for name in (drug.name, *drug.brands):
            names.setdefault(name.lower(), set()).add(f"{RXNORM}|{drug.rxcui}")
    for name, drug_class in CLASS_NAMES.items():
        names.setdefault(name, set()).add(class_key(drug_class))
    for name in ("penicillin", "penicillins", "penicillin class"):
        names[name].add(f"{SNOMED}|{PENICILLIN_ALLERGEN}")
    return {name: frozenset(keys) for name, keys in names.items()}


# Lower-case name -> the keys it may mean. Known to every text, whatever its sources.
LEXICON: dict[str, frozenset[str]] = _lexicon()
DRUG_NAMES: frozenset[str] = frozenset(name.lower() for drug in FORMULARY for name in (drug.name, *drug.brands))
