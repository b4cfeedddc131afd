"""What a consultation is made from: the context pack, rules, statements, drafting, the gate. No I/O, no clock.

`prepare`, drive, `conclude` is a consultation; `consult` does all three where the model's answers are at hand.
`prepare_form` stands in the place of `prepare` where a brief, a summary or a note is asked for.
"""

from consult.consultation import Chooser, Concluded, Prepared, assess, conclude, prepare, prepare_form
from consult.drafting import Drafted, draft_model, draft_rules
from consult.driving import Driven, Model, consult, drive, drive_again
from consult.gate import gate, release, verify
from consult.identity import Identity
from consult.inputs import Budget
from consult.merging import merge
from consult.record import Record, SignedAssessment, Timeline
from consult.rules import speak
from consult.tools import RecordTools, Search, Tools, WordSearch

__all__ = [
    "Budget",
    "Chooser",
    "Concluded",
    "Drafted",
    "Driven",
    "Identity",
    "Model",
    "Prepared",
    "Record",
    "RecordTools",
    "Search",
    "SignedAssessment",
    "Timeline",
    "Tools",
    "WordSearch",
    "assess",
    "conclude",
    "consult",
    "draft_model",
    "draft_rules",
    "drive",
    "drive_again",
    "gate",
    "merge",
    "prepare",
    "prepare_form",
    "release",
    "speak",
    "verify",
]
