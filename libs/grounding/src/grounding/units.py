"""Units as people print them and as UCUM writes them, and conversion between those that measure the same thing.

Guarantee: `convert` answers None when two units cannot be compared for that analyte; it never guesses.
"""

from decimal import Decimal

# Spelling (lower case) -> printed unit. UCUM codes and the habits of laboratories.
_SPELLINGS: dict[str, str] = {
    "ml/min/{1.73_m2}": "mL/min/1.73 m2",
    "ml/min/{1.73m2}": "mL/min/1.73 m2",
    "ml/min/1.73.m2": "mL/min/1.73 m2",
    "ml/min/1.73_m2": "mL/min/1.73 m2",
    "ml/min/1.73m2": "mL/min/1.73 m2",
    "ml/min/1.73m²": "mL/min/1.73 m2",
    "ml/min/1.73 m2": "mL/min/1.73 m2",
    "ml/min/1.73 m²": "mL/min/1.73 m2",
    "ml/min/1.73m^2": "mL/min/1.73 m2",
    "ml/min/{1.73_m2}/a": "mL/min/1.73 m2 per year",
    "ml/min/1.73 m2 per year": "mL/min/1.73 m2 per year",
    "ml/min/1.73 m2/year": "mL/min/1.73 m2 per year",
    "ml/min": "mL/min",
    "mg per day": "mg per day",
    "mg/day": "mg per day",
    "mg/d": "mg per day",
    "mm[hg]": "mmHg",
    "mmhg": "mmHg",
    "mm hg": "mmHg",
    "mg/dl": "mg/dL",
    "g/dl": "g/dL",
    "gm/dl": "g/dL",
    "g/l": "g/L",
    "mg/l": "mg/L",
    "ug/l": "ug/L",
    "µg/l": "ug/L",
    "ug/dl": "ug/dL",
    "ng/ml": "ng/mL",
    "ng/dl": "ng/dL",
    "ng/l": "ng/L",
    "pg/ml": "pg/mL",
    "mmol/l": "mmol/L",
    "umol/l": "umol/L",
    "µmol/l": "umol/L",
    "μmol/l": "umol/L",
    "micromol/l": "umol/L",
    "nmol/l": "nmol/L",
    "pmol/l": "pmol/L",
    "meq/l": "mEq/L",
    "mmol/mol": "mmol/mol",
    "mg/g": "mg/g",
    "mg/g{creat}": "mg/g",
    "mg/g creatinine": "mg/g",
    "mg/mmol": "mg/mmol",
    "%": "%",
    "percent": "%",
    "kg/m2": "kg/m2",
    "kg/m²": "kg/m2",
    "kg": "kg",
    "g": "g",
    "mg": "mg",
    "milligram": "mg",
    "milligrams": "mg",
    "ug": "ug",
    "µg": "ug",
    "mcg": "ug",
    "microgram": "ug",
    "micrograms": "ug",
    "ml": "mL",
    "l": "L",
    "cm": "cm",
    "mm": "mm",
    "u/l": "U/L",
    "iu/l": "U/L",
    "[iu]/l": "U/L",
    "miu/l": "mIU/L",
    "m[iu]/l": "mIU/L",
    "uiu/ml": "mIU/L",
    "iu": "IU",
    "[iu]": "IU",
    "units": "IU",
    "10*9/l": "10^9/L",
    "10^9/l": "10^9/L",
    "10*3/ul": "10^9/L",
    "k/ul": "10^9/L",
    "x10e3/ul": "10^9/L",
    "10*12/l": "10^12/L",
    "10^12/l": "10^12/L",
    "10*6/ul": "10^12/L",
    "fl": "fL",
    "pg": "pg",
    "/min": "/min",
    "bpm": "/min",
    "mm/h": "mm/h",
    "cel": "°C",
    "°c": "°C",
    "[degf]": "°F",
    "°f": "°F",
    "[lb_av]": "lb",
    "lb": "lb",
    "tablet": "tablet",
    "tablets": "tablet",
    "tab": "tablet",
    "capsule": "capsule",
    "capsules": "capsule",
    "day": "day",
    "days": "day",
    "week": "week",
    "weeks": "week",
    "month": "month",
    "months": "month",
    "year": "year",
    "years": "year",
}

SPELLINGS: tuple[str, ...] = tuple(sorted(_SPELLINGS, key=len, reverse=True))
TIME_UNITS = frozenset({"day", "week", "month", "year"})

# Printed unit -> (dimension, factor to the dimension's first unit).
_LINEAR: dict[str, tuple[str, str]] = {
    "g/L": ("mass/volume", "1"),
    "g/dL": ("mass/volume", "10"),
    "mg/dL": ("mass/volume", "0.01"),
    "mg/L": ("mass/volume", "0.001"),
    "ug/dL": ("mass/volume", "0.00001"),
    "ug/L": ("mass/volume", "0.000001"),
    "ng/mL": ("mass/volume", "0.000001"),
    "ng/dL": ("mass/volume", "0.00000001"),
    "ng/L": ("mass/volume", "0.000000001"),
    "pg/mL": ("mass/volume", "0.000000001"),
    "mmol/L": ("amount/volume", "1"),
    "umol/L": ("amount/volume", "0.001"),
    "nmol/L": ("amount/volume", "0.000001"),
    "pmol/L": ("amount/volume", "0.000000001"),
    "kg": ("mass", "1000"),
    "g": ("mass", "1"),
    "mg": ("mass", "0.001"),
    "ug": ("mass", "0.000001"),
    "lb": ("mass", "453.59237"),
    "L": ("volume", "1"),
    "mL": ("volume", "0.001"),
    "cm": ("length", "10"),
    "mm": ("length", "1"),
    "mg/g": ("albumin/creatinine", "1"),
    "mg/mmol": ("albumin/creatinine", "8.84"),
}

# LOINC -> g/mol of what is measured (urea nitrogen counts two nitrogen atoms; haemoglobin the monomer).
_MOLAR_MASS: dict[str, str] = {
    "2160-0": "113.12",
    "3094-0": "28.014",
    "2345-7": "180.156",
    "2093-3": "386.65",
    "2085-9": "386.65",
    "13457-7": "386.65",
    "2571-8": "885.7",
    "1975-2": "584.66",
    "17861-6": "40.078",
    "2777-1": "30.974",
    "19123-9": "24.305",
    "3084-1": "168.11",
    "718-7": "16114",
}
_VALENCE: dict[str, int] = {"2823-3": 1, "2951-2": 1, "2075-0": 1, "1963-8": 1, "2028-9": 1, "17861-6": 2, "19123-9": 2}
_HBA1C = "4548-4"


def printed(unit: str) -> str:
    """The unit as people print it; unknown ones stay as they are."""
    text = " ".join(unit.split())
    return _SPELLINGS.get(text.lower(), text)


def convert(value: Decimal, unit: str, to: str, loinc: str = "") -> Decimal | None:
    """`value` in another printed unit; where the analyte matters, of this LOINC code; None if incomparable."""
    if unit == to:
        return value
    if loinc == _HBA1C and {unit, to} == {"%", "mmol/mol"}:
        return _convert_hba1c(value, unit)
    if "mEq/L" in (unit, to):
        return _convert_equivalents(value, unit, to, loinc)
    source, target = _LINEAR.get(unit), _LINEAR.get(to)
    if source is None or target is None:
        return None
    amount = value * Decimal(source[1])
    bridge = _molar(amount, source[0], target[0], loinc)
    return None if bridge is None else bridge / Decimal(target[1])


def _molar(amount: Decimal, dimension: str, to: str, loinc: str) -> Decimal | None:
    """g/L to mmol/L and back through the molar mass."""
    if dimension == to:
        return amount
    mass = _MOLAR_MASS.get(loinc)
    if mass is None:
        return None
    if (dimension, to) == ("mass/volume", "amount/volume"):
        return amount * 1000 / Decimal(mass)
    if (dimension, to) == ("amount/volume", "mass/volume"):
        return amount * Decimal(mass) / 1000
    return None


def _convert_equivalents(value: Decimal, unit: str, to: str, loinc: str) -> Decimal | None:
    valence = _VALENCE.get(loinc)
    if valence is None:
        return None
    if unit == "mEq/L":
        return convert(value / valence, "mmol/L", to, loinc)
    amount = convert(value, unit, "mmol/L", loinc)
    return None if amount is None else amount * valence


def _convert_hba1c(value: Decimal, unit: str) -> Decimal:
    """NGSP percent = 0.09148 x IFCC mmol/mol + 2.152 (NGSP master equation, Clin Chem 2004;50:166-174)."""
    if unit == "%":
        return (value - Decimal("2.152")) / Decimal("0.09148")
    return value * Decimal("0.09148") + Decimal("2.152")
