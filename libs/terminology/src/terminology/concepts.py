"""Code systems by their FHIR URIs, and the key by which concepts compare."""

from longitude.ingestion.v1.clinical_fact_pb2 import CodedConcept

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
CVX = "http://hl7.org/fhir/sid/cvx"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD9CM = "http://hl7.org/fhir/sid/icd-9-cm"
UCUM = "http://unitsofmeasure.org"


def key(concept: CodedConcept) -> str:
    """`system|code`; a concept without a code is known by its display."""
    if not concept.code:
        return f"display|{' '.join(concept.display.casefold().split())}"
    return f"{concept.system}|{concept.code}"
