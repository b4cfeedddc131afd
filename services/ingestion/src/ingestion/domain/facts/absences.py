"""What a coded element says instead of "present": that there is none, that it is denied, doubted or not known."""

from collections.abc import Collection

from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import absence, phrases, problems
from terminology.absence import Absence, Meaning
from terminology.concepts import SNOMED, concept

from ingestion.domain.coding import CodedElement, Coding

_DOUBT = "?"
# What is missing, and not what is denied, where a problem or an allergy is named.
_DEFECT = "ABSENCE OF "


def whole(element: CodedElement, about: Collection[str]) -> Absence | None:
    """The absence that an element states and nothing else, where it is about one of these kinds of facts."""
    stated = [absence.of(coding.public) for coding in element.codings] + [absence.whole(element.original_text)]
    return next((known for known in stated if known and known.about in (absence.ANY, *about)), None)


def said_of(coding: Coding) -> tuple[Meaning, str] | None:
    """What the first words of a text say of the rest (`Rule out`, `No evidence of`), else its last, and the rest.

    Words that belong to the code itself say nothing of it: `Not pregnant` is a concept of SNOMED CT and is there,
    and so is the absence of an iris (ICD-10 Q13.1).
    """
    if coding.system == SNOMED or coding.text.upper().startswith(_DEFECT):
        return None
    opened = absence.opening(coding.text) or _closing(coding.text)
    own = problems.of(concept(coding.system, coding.code)) if opened and coding.system else None
    return None if own and absence.opening(own.display) else opened


def _closing(text: str) -> tuple[Meaning, str] | None:
    """What the last words of a text say of those before (`Pneumonia - ruled out`); a question mark doubts it."""
    plain = text.strip()
    for name in phrases.WORD.finditer(plain):
        cue = next((cue for cue in absence.cues(plain, 0, name.end()) if cue.start >= name.end()), None)
        if cue is not None and not any(character.isalnum() for character in plain[cue.end :]):
            return cue.meaning, plain[: name.end()]
    doubted = plain.strip(_DOUBT + " ")
    return (Meaning.SUSPECTED, doubted) if doubted and _DOUBT in (plain[0], plain[-1]) else None


def without_opening(code: CodedConcept, rest: str) -> CodedConcept:
    """The concept as what is denied: of a text without a code, only the rest is left."""
    return CodedConcept(system=code.system, code=rest if code.code == code.display else code.code, display=rest)
