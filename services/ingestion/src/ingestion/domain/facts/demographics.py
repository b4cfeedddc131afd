"""PID: birth date and administrative sex, which results are read against."""

from collections.abc import Iterator

from longitude.record.v1 import fact_pb2 as pb
from terminology.loinc import BIRTH_DATE, SEX, concept

from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment
from ingestion.domain.timestamps import parse_date

_GENDERS = {
    "M": ("male", "Male"),
    "F": ("female", "Female"),
    "O": ("other", "Other"),
    "A": ("other", "Ambiguous"),
    "N": ("other", "Not applicable"),
}
_GENDER_SYSTEM = "http://hl7.org/fhir/administrative-gender"
_SEX_TABLE = "http://terminology.hl7.org/CodeSystem/v2-0001"


def demographics(pid: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """Facts of PID-7 and PID-8. They hold from birth on."""
    born = scope.origin.time(pid, 7)
    if born is not None:
        yield scope.fact(
            pid,
            pid.path(7),
            pb.Identity(groups=["person:"], names=[BIRTH_DATE]),
            kind=pb.FACT_KIND_DEMOGRAPHIC,
            code=concept(BIRTH_DATE),
            text=parse_date(pid.get(7)),
            valid_from=born,
        )
    gender = _GENDERS.get(pid.get(8).upper())
    if gender is not None:
        yield scope.fact(
            pid,
            pid.path(8),
            pb.Identity(groups=["person:"], names=[SEX]),
            kind=pb.FACT_KIND_DEMOGRAPHIC,
            code=concept(SEX),
            source_code=pb.CodedConcept(system=_SEX_TABLE, code=pid.get(8), display=gender[1]),
            coded=pb.CodedConcept(system=_GENDER_SYSTEM, code=gender[0], display=gender[1]),
            valid_from=born or scope.said_at,
        )
