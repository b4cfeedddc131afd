"""URIs that FHIR R4 (4.0.1) itself gives: code systems of its elements' states and categories, and extensions."""

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import observables
from terminology.concepts import ACT_CODE, concept

_HL7 = "http://terminology.hl7.org/CodeSystem/"
CONDITION_CLINICAL = f"{_HL7}condition-clinical"
CONDITION_VERIFICATION = f"{_HL7}condition-ver-status"
CONDITION_CATEGORY = f"{_HL7}condition-category"
ALLERGY_CLINICAL = f"{_HL7}allergyintolerance-clinical"
ALLERGY_VERIFICATION = f"{_HL7}allergyintolerance-verification"
OBSERVATION_CATEGORY = f"{_HL7}observation-category"
PARTICIPANT = f"{_HL7}provenance-participant-type"
# Flags of results as HL7 v2 sends them (table 0078).
FLAG = f"{_HL7}v2-0078"

_EXTENSION = "http://hl7.org/fhir/StructureDefinition/"
DATA_ABSENT_REASON = f"{_EXTENSION}data-absent-reason"
# The same quantity in another unit.
TRANSLATION = f"{_EXTENSION}iso21090-PQ-translation"

# Why somebody orders although something speaks against it: from the codes for DetectedIssue.mitigation.action.
OVERRIDE_REASONS = (
    concept(ACT_CODE, "1", "Therapy Appropriate"),
    concept(ACT_CODE, "2", "Assessed Patient"),
    concept(ACT_CODE, "7", "Interacting Therapy No Longer Active/Planned"),
    concept(ACT_CODE, "9", "Instituted Ongoing Monitoring Program"),
    concept(ACT_CODE, "13", "Stopped Concurrent Therapy"),
)

# What kind of observation a kind of observable is; of others FHIR's category is not known.
_CATEGORIES = {"laboratory": "laboratory", "vital-sign": "vital-signs", "survey": "survey"}


def category(concept: CodedConcept) -> str:
    """The observation category of a result; empty where it is not known."""
    known = observables.of(concept)
    return _CATEGORIES.get(known.kind, "") if known else ""
