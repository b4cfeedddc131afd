"""A small formulary: ingredients with their RxNorm code, brand names and the classes that rules reason about.

Guarantee: `drug_named` finds an ingredient by any of its names; a drug not listed is unknown, never assumed harmless
(rules say which facts they could not place).
"""

from dataclasses import dataclass
from enum import StrEnum

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


class DrugClass(StrEnum):
    """Classes as prescribing information names them; the values are how a reader sees them."""

    ACE_INHIBITOR = "ACE inhibitor"
    ARB = "angiotensin receptor blocker"
    NSAID = "NSAID"
    BIGUANIDE = "biguanide"
    PENICILLIN = "penicillin"
    CEPHALOSPORIN = "cephalosporin"
    SULFONAMIDE = "sulfonamide antibiotic"
    STATIN = "statin"
    LOOP_DIURETIC = "loop diuretic"
    POTASSIUM_SPARING = "potassium-sparing diuretic"
    ANTICOAGULANT = "anticoagulant"
    SGLT2_INHIBITOR = "SGLT2 inhibitor"
    OTHER = ""


@dataclass(frozen=True, slots=True)
class Drug:
    """One ingredient. `rxcui` is its RxNorm concept id."""

    rxcui: str
    name: str
    drug_class: DrugClass
    brands: tuple[str, ...] = ()


_C = DrugClass
FORMULARY: tuple[Drug, ...] = (
    Drug("6809", "metformin", _C.BIGUANIDE, ("glucophage",)),
    Drug("29046", "lisinopril", _C.ACE_INHIBITOR, ("zestril", "prinivil")),
    Drug("35296", "ramipril", _C.ACE_INHIBITOR, ("altace", "tritace")),
    Drug("3827", "enalapril", _C.ACE_INHIBITOR, ("vasotec",)),
    Drug("1998", "captopril", _C.ACE_INHIBITOR, ("capoten",)),
    Drug("54552", "perindopril", _C.ACE_INHIBITOR, ("coversyl",)),
    Drug("18867", "benazepril", _C.ACE_INHIBITOR, ("lotensin",)),
    Drug("50166", "fosinopril", _C.ACE_INHIBITOR, ()),
    Drug("35208", "quinapril", _C.ACE_INHIBITOR, ("accupril",)),
    Drug("52175", "losartan", _C.ARB, ("cozaar",)),
    Drug("69749", "valsartan", _C.ARB, ("diovan",)),
    Drug("214354", "candesartan", _C.ARB, ("atacand",)),
    Drug("83818", "irbesartan", _C.ARB, ("avapro",)),
    Drug("321064", "olmesartan", _C.ARB, ("benicar",)),
    Drug("73494", "telmisartan", _C.ARB, ("micardis",)),
    Drug("5640", "ibuprofen", _C.NSAID, ("advil", "motrin", "nurofen", "brufen")),
    Drug("7258", "naproxen", _C.NSAID, ("aleve", "naprosyn")),
    Drug("3355", "diclofenac", _C.NSAID, ("voltaren", "voltarol")),
    Drug("35827", "ketorolac", _C.NSAID, ("toradol",)),
    Drug("5781", "indomethacin", _C.NSAID, ("indocin",)),
    Drug("41493", "meloxicam", _C.NSAID, ("mobic",)),
    Drug("140587", "celecoxib", _C.NSAID, ("celebrex",)),
    Drug("8356", "piroxicam", _C.NSAID, ("feldene",)),
    Drug("723", "amoxicillin", _C.PENICILLIN, ("amoxil", "augmentin")),
    Drug("7980", "penicillin G", _C.PENICILLIN, ("benzylpenicillin",)),
    Drug("7984", "penicillin V", _C.PENICILLIN, ("phenoxymethylpenicillin",)),
    Drug("733", "ampicillin", _C.PENICILLIN, ()),
    Drug("8339", "piperacillin", _C.PENICILLIN, ("zosyn",)),
    Drug("3356", "dicloxacillin", _C.PENICILLIN, ()),
    Drug("2180", "cefazolin", _C.CEPHALOSPORIN, ("ancef",)),
    Drug("2193", "ceftriaxone", _C.CEPHALOSPORIN, ("rocephin",)),
    Drug("2231", "cephalexin", _C.CEPHALOSPORIN, ("keflex",)),
    Drug("10831", "sulfamethoxazole / trimethoprim", _C.SULFONAMIDE, ("bactrim", "co-trimoxazole")),
    Drug("83367", "atorvastatin", _C.STATIN, ("lipitor",)),
    Drug("36567", "simvastatin", _C.STATIN, ("zocor",)),
    Drug("301542", "rosuvastatin", _C.STATIN, ("crestor",)),
    Drug("17767", "amlodipine", _C.OTHER, ("norvasc",)),
    Drug("4603", "furosemide", _C.LOOP_DIURETIC, ("lasix", "frusemide")),
    Drug("9997", "spironolactone", _C.POTASSIUM_SPARING, ("aldactone",)),
    Drug("11289", "warfarin", _C.ANTICOAGULANT, ("coumadin",)),
    Drug("1364430", "apixaban", _C.ANTICOAGULANT, ("eliquis",)),
    Drug("1191", "aspirin", _C.OTHER, ("acetylsalicylic acid",)),
    Drug("161", "acetaminophen", _C.OTHER, ("paracetamol", "tylenol", "panadol")),
    Drug("6918", "metoprolol", _C.OTHER, ("lopressor", "toprol")),
    Drug("5487", "hydrochlorothiazide", _C.OTHER, ()),
    Drug("7646", "omeprazole", _C.OTHER, ("prilosec",)),
    Drug("5856", "insulin", _C.OTHER, ()),
    Drug("519", "allopurinol", _C.OTHER, ("zyloprim",)),
    Drug("25480", "gabapentin", _C.OTHER, ("neurontin",)),
    Drug("593411", "sitagliptin", _C.OTHER, ("januvia",)),
    Drug("7454", "nitrofurantoin", _C.OTHER, ("macrobid",)),
    Drug("46041", "alendronate", _C.OTHER, ("fosamax",)),
    Drug("435", "albuterol", _C.OTHER, ("salbutamol", "ventolin")),
    Drug("10582", "levothyroxine", _C.OTHER, ("synthroid",)),
    Drug("1545653", "empagliflozin", _C.SGLT2_INHIBITOR, ("jardiance",)),
    Drug("1488564", "dapagliflozin", _C.SGLT2_INHIBITOR, ("farxiga", "forxiga")),
)

BY_RXCUI: dict[str, Drug] = {drug.rxcui: drug for drug in FORMULARY}
BY_NAME: dict[str, Drug] = {name.lower(): drug for drug in FORMULARY for name in (drug.name, *drug.brands)}

# Names under which readers know the classes.
CLASS_NAMES: dict[str, DrugClass] = {
    "ace inhibitor": _C.ACE_INHIBITOR,
    "ace inhibitors": _C.ACE_INHIBITOR,
    "angiotensin receptor blocker": _C.ARB,
    "arb": _C.ARB,
    "nsaid": _C.NSAID,
    "nsaids": _C.NSAID,
    "penicillin": _C.PENICILLIN,
    "penicillins": _C.PENICILLIN,
    "penicillin class": _C.PENICILLIN,
    "cephalosporin": _C.CEPHALOSPORIN,
    "statin": _C.STATIN,
    "biguanide": _C.BIGUANIDE,
    "loop diuretic": _C.LOOP_DIURETIC,
    "anticoagulant": _C.ANTICOAGULANT,
    "sglt2 inhibitor": _C.SGLT2_INHIBITOR,
}


def drug_named(text: str) -> Drug | None:
    """The ingredient with this name or brand; also when a strength or form follows (`METFORMIN HCL 500 MG TAB`)."""
    words = text.lower().split()
    for length in range(min(3, len(words)), 0, -1):
        found = BY_NAME.get(" ".join(words[:length]))
        if found:
            return found
    return None
