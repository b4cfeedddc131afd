"""Coded elements (CE, CWE, CNE) and the names of code systems (HL7 table 0396) as FHIR URIs."""

from dataclasses import dataclass
from functools import lru_cache

from longitude.record.v1.fact_pb2 import CodedConcept

from ingestion.domain.hl7 import Value
from ingestion.domain.terminology import table

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
CVX = "http://hl7.org/fhir/sid/cvx"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_9_CM = "http://hl7.org/fhir/sid/icd-9-cm"


@dataclass(frozen=True, slots=True)
class Coding:
    """One coding of a coded element: identifier, text and system as sent."""

    code: str
    text: str
    system_name: str

    @property
    def system(self) -> str:
        """The FHIR URI of the system; empty for an unknown one."""
        return system_uri(self.system_name)

    def concept(self, facility: str) -> CodedConcept:
        """The coding with its system as a URI: a known one, else one of the facility that sent it."""
        local = f"urn:longitude:local:{facility}:{self.system_name}"
        return CodedConcept(system=self.system or local, code=self.code or self.text, display=self.text)


@dataclass(frozen=True, slots=True)
class CodedElement:
    """A coded element: its codings (primary first, then alternate ones) and the original text."""

    codings: tuple[Coding, ...]
    original_text: str

    @classmethod
    def read(cls, value: Value, default_system: str = "") -> "CodedElement":
        """CWE.1-3, 4-6 and 10-12 (v2.7), and CWE.9. `default_system`: what the field means where it names none."""
        return _read_again(value, default_system) if len(value.raw) <= _SHORT else _read(value, default_system)

    @property
    def primary(self) -> Coding:
        """The first coding, empty when there is none; with the original text where it has no text of its own."""
        if not self.codings:
            return Coding("", self.original_text, "")
        first = self.codings[0]
        return first if first.text else Coding(first.code, self.original_text, first.system_name)

    @property
    def texts(self) -> list[str]:
        """Everything a person would read, best first."""
        return [text for text in (*(coding.text for coding in self.codings), self.original_text) if text]

    def in_system(self, *systems: str) -> Coding | None:
        """The coding in the first of these systems that has one."""
        return next((c for system in systems for c in self.codings if c.code and c.system == system), None)

    def __bool__(self) -> bool:
        return bool(self.codings or self.original_text)


def _read(value: Value, default_system: str) -> CodedElement:
    codings = tuple(
        Coding(value.get(first), value.get(first + 1), value.get(first + 2) or default_system)
        for first in (1, 4, 10)
        if value.get(first) or value.get(first + 1)
    )
    return CodedElement(codings, value.get(9))


# Feeds repeat their codes; only short ones are kept, so that the cache stays small.
_SHORT = 512
_read_again = lru_cache(maxsize=4096)(_read)


@lru_cache(maxsize=4096)
def system_uri(name: str) -> str:
    """The URI of a code system named as in HL7 table 0396; empty for an unknown name."""
    plain = name.upper().replace(" ", "").replace("-", "").replace("_", "")
    row = table("coding_systems").get(plain)
    if row:
        return row["uri"]
    digits = plain.removeprefix("HL7")
    if plain.startswith("HL7") and digits.isdigit():
        return f"http://terminology.hl7.org/CodeSystem/v2-{int(digits):04d}"
    return f"urn:oid:{name}" if name.count(".") > 3 and name.replace(".", "").isdigit() else ""  # an OID
