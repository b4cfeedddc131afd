"""What a coded element says instead of "present": that there is none, that it is denied, doubted or not known."""

from collections.abc import Collection

from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import absence, problems
from terminology.absence import Absence, Meaning
from terminology.concepts import SNOMED, concept

from ingestion.domain.coding import CodedElement, Coding

# What is missing, and not what is denied, where a problem or an allergy is named.
_DEFECT = "ABSENCE OF "


def whole(element: CodedElement, about: Collection[str]) -> Absence | None:
    """The absence that an element states and nothing else, where it is about one of these kinds of facts."""
    stated = [absence.of(coding.public) for coding in element.codings] + [absence.whole(element.original_text)]
    return next((known for known in stated if known and known.about in (absence.ANY, *about)), None)


def opening(coding: Coding) -> tuple[Meaning, str] | None:
    """What the first words of a text say of the rest (`Rule out`, `No evidence of`), and the rest.

    Words that belong to the code itself say nothing of it: `Not pregnant` is a concept of SNOMED CT and is there,
    and so is the absence of an iris (ICD-10 Q13.1).
    """
    if coding.system == SNOMED or coding.text.upper().startswith(_DEFECT):
        return None
    opened = absence.opening(coding.text)
    own = problems.of(concept(coding.system, coding.code)) if opened and coding.system else None
    return None if own and absence.opening(own.display) else opened


def without_opening(code: CodedConcept, rest: str) -> CodedConcept:
    """The concept as what is denied: of a text without a code, only the rest is left."""
    return CodedConcept(system=code.system, code=rest if code.code == code.display else code.code, display=rest)
