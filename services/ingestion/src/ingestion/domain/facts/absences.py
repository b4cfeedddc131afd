"""What a coded element says instead of "present": that there is none, that it is denied, doubted or not known."""

from collections.abc import Collection

from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import absence
from terminology.absence import Absence, Meaning
from terminology.concepts import SNOMED

from ingestion.domain.coding import CodedElement, Coding


def whole(element: CodedElement, about: Collection[str]) -> Absence | None:
    """The absence that an element states and nothing else, where it is about one of these kinds of facts."""
    stated = [absence.of(coding.public) for coding in element.codings] + [absence.whole(element.original_text)]
    return next((known for known in stated if known and known.about in (absence.ANY, *about)), None)


def opening(coding: Coding) -> tuple[Meaning, str] | None:
    """What the first words of a text say of the rest (`Rule out`, `No evidence of`), and the rest.

    The words of SNOMED CT belong to its concepts: `Not pregnant` is one, and is there.
    """
    return absence.opening(coding.text) if coding.system != SNOMED else None


def without_opening(code: CodedConcept, rest: str) -> CodedConcept:
    """The concept as what is denied: of a text without a code, only the rest is left."""
    return CodedConcept(system=code.system, code=rest if code.code == code.display else code.code, display=rest)
