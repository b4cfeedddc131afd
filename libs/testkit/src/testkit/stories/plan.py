"""What an invented patient is made of: the drugs, problems and words that stories draw from.

Codes and classes are written out here and not looked up in terminology: they are what a hospital sends and what the
truth of a story is told by, so that the platform's own tables cannot confirm themselves.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# Ingredient, RxNorm code, class, doses in mg, frequency.
REGULAR = (
    ("metformin", "6809", "biguanide", ("500", "1000"), "BID"),
    ("lisinopril", "29046", "ACE inhibitor", ("5", "10", "20"), "QD"),
    ("ramipril", "35296", "ACE inhibitor", ("2.5", "5", "10"), "QD"),
    ("amlodipine", "17767", "", ("5", "10"), "QD"),
    ("atorvastatin", "83367", "statin", ("20", "40"), "QD"),
    ("furosemide", "4603", "loop diuretic", ("20", "40"), "QD"),
)
NSAIDS = (("naproxen", "7258", "NSAID", ("250", "500"), "BID"), ("ibuprofen", "5640", "NSAID", ("400", "600"), "TID"))
# Never taken by a patient of these stories: what another patient takes, or a question takes for granted.
NEVER_TAKEN = ("warfarin", "spironolactone", "omeprazole", "levothyroxine")

# ICD-10-CM code, name, side.
CHRONIC = (
    ("I10", "Essential (primary) hypertension", ""),
    ("E11.9", "Type 2 diabetes mellitus without complications", ""),
    ("M17.12", "Unilateral primary osteoarthritis, left knee", "left"),
    ("M17.11", "Unilateral primary osteoarthritis, right knee", "right"),
    ("H25.11", "Age-related nuclear cataract, right eye", "right"),
    ("H25.12", "Age-related nuclear cataract, left eye", "left"),
    ("N18.31", "Chronic kidney disease, stage 3a", ""),
)
PASSING = (("J20.9", "Acute bronchitis"), ("N39.0", "Urinary tract infection"))

FAMILY = ("breast cancer", "myocardial infarction", "stroke", "colon cancer")
RELATIVES = ("mother", "father", "sister", "brother")
DENIED = ("pleural effusion", "deep vein thrombosis", "retinopathy", "atrial fibrillation")
REACTIONS = ("anaphylaxis", "hives", "rash")
# What the demographic and laboratory ranges of another patient's letter are far away from.
FOREIGN_CREATININE = Decimal("7.3")
TODAY = date(2026, 10, 20)


@dataclass(frozen=True, slots=True)
class Visit:
    """A day on which blood is taken; `lakeside` says which hospital took it."""

    day: date
    lakeside: bool


QUESTIONS = (
    "What should be considered before the next dose change?",
    "How has kidney function developed, and do the medications still fit?",
    "What changed since the last visit?",
    "Which problems and medications are active, and what is open?",
)
TRAPS = frozenset(
    {"negated finding", "family", "unit change", "corrected result", "foreign letter", "outdated dose", "false premise"}
)
