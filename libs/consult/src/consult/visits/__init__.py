"""What is written of a whole record and not to a question: the brief of a visit, a specialty's summary, a note."""

from consult.visits.form import FORMS, draw, title
from consult.visits.gaps import passages
from consult.visits.specialties import UnknownSpecialtyError, specialties

__all__ = ["FORMS", "UnknownSpecialtyError", "draw", "passages", "specialties", "title"]
