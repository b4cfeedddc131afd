"""AL1 and IAM: allergies, and the statement that there are none known."""

from collections.abc import Iterator
from dataclasses import dataclass

from longitude.record.v1 import fact_pb2 as pb

from ingestion.domain.coding import RXNORM, SNOMED, CodedElement
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment
from ingestion.domain.terminology import table
from ingestion.domain.terms import drugs_in, words


@dataclass(frozen=True, slots=True)
class _Fields:
    """Where AL1 and IAM keep the same things."""

    reaction: int
    onset: tuple[int, ...]


_AL1 = _Fields(reaction=5, onset=(6,))
_IAM = _Fields(reaction=5, onset=(11, 13, 20))


def allergy(segment: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """One allergy, or the absence of any."""
    fields = _AL1 if segment.name == "AL1" else _IAM
    element = CodedElement.read(segment.value(3))
    if not element:
        scope.origin.warn(segment, 3, "no allergen")
        return
    absence = no_known_allergy(element)
    code = absence or _substance(element) or scope.coding(element.primary)
    yield scope.fact(
        segment,
        segment.path(3),
        f"allergy:{code.system}:{code.code}",
        kind=pb.FACT_KIND_ALLERGY,
        code=code,
        source_code=scope.coding(element.primary),
        assertion=pb.ASSERTION_ABSENT if absence else pb.ASSERTION_PRESENT,
        status=_status(segment),
        valid_from=scope.time(segment, *fields.onset),
        note="; ".join(value.get(2) or value.get(1) for value in segment.values(fields.reaction)),
    )


def no_known_allergy(element: CodedElement) -> pb.CodedConcept | None:
    """The SNOMED CT situation of a text or code that says that no allergies are known."""
    keys = [f"{c.system}#{c.code}" for c in element.codings if c.system]
    keys += [words(text) for text in (*(c.code for c in element.codings if not c.system), *element.texts)]
    row = next((row for key in keys if (row := table("no_known_allergies").get(key))), None)
    return pb.CodedConcept(system=SNOMED, code=row["code"], display=row["display"]) if row else None


def _substance(element: CodedElement) -> pb.CodedConcept | None:
    known = table("allergens")
    keys = [f"{c.system}#{c.code}" for c in element.codings if c.system]
    drugs = drugs_in(tuple(element.texts))
    if not drugs:
        keys += [word for text in element.texts for word in words(text).split()]
    row = next((row for key in keys if (row := known.get(key))), None)
    if row:
        return pb.CodedConcept(system=row["system"], code=row["code"], display=row["display"])
    if drugs:
        return pb.CodedConcept(system=RXNORM, code=drugs[0][0], display=drugs[0][1])
    return None


def _status(segment: Segment) -> "pb.FactStatus.ValueType":
    """IAM-6 action code (table 0206: D deletes) and IAM-17 clinical status (table 0438: E erroneous, I inactive)."""
    if segment.name != "IAM":
        return pb.FACT_STATUS_ACTIVE
    if segment.get(6) == "D" or segment.get(17) == "E":
        return pb.FACT_STATUS_ENTERED_IN_ERROR
    return pb.FACT_STATUS_ENDED if segment.get(17) == "I" else pb.FACT_STATUS_ACTIVE
