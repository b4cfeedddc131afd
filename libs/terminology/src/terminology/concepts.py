"""Code systems by URI, and the key by which two concepts are compared.

Guarantee: a concept has one key, whatever its display; one without a code is known by its words.
"""

from longitude.record.v1.fact_pb2 import CodedConcept

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
CVX = "http://hl7.org/fhir/sid/cvx"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD9CM = "http://hl7.org/fhir/sid/icd-9-cm"
CPT = "http://www.ama-assn.org/go/cpt"
UCUM = "http://unitsofmeasure.org"
ATC = "http://www.whocc.no/atc"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def key(concept: CodedConcept) -> str:
    """`system|code`, or `display|<casefolded words>` of a concept that has no code."""
    if concept.code:
        return f"{concept.system}|{concept.code}"
    return "display|" + words(concept.display)


def words(text: str) -> str:
    """A text as it is compared: casefolded, with single spaces."""
    return " ".join(text.casefold().split())


def concept(system: str, code: str, display: str = "") -> CodedConcept:
    return CodedConcept(system=system, code=code, display=display)
