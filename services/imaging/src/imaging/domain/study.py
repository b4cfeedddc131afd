"""Builds the StudyAnalysed event of any modality, and the facts that findings become.

Guarantee: an image that is not fit to be read carries no finding, only a finding that asserts something becomes a fact,
and the same study read by the same model gives the same facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts.identifiers import event_id
from longitude.imaging.v1.events_pb2 import Finding, ModelVersion, Quality, StudyAnalysed
from longitude.ingestion.v1.events_pb2 import StudyReceived
from longitude.record.v1.fact_pb2 import (
    ASSERTION_ABSENT,
    ASSERTION_PRESENT,
    ASSERTION_UNSPECIFIED,
    FACT_KIND_IMAGING_FINDING,
    FACT_STATUS_PRELIMINARY,
    PROVENANCE_COMPUTED_FROM_IMAGE,
    Assertion,
    ClinicalFact,
    CodedConcept,
    Identity,
    SourcePointer,
)
from longitude.record.v1.object_pb2 import ObjectRef

from imaging.domain.modality import Modality, Reading

# A local code: no entry of SNOMED CT or RadLex is claimed that nobody here has checked against a release.
FINDING_SYSTEM = "urn:longitude:finding"


def analysis_id(cause_id: str, model: ModelVersion | None) -> str:
    """The id of the StudyAnalysed event that follows from a StudyReceived event."""
    return event_id("study-analysed", cause_id, model.version if model else "", model.sha256 if model else "")


def unreadable(study: StudyReceived, problem: str, modality: str = "") -> StudyAnalysed:
    """The answer for an instance that no modality takes, or that its modality cannot read."""
    return _analysed(study, modality, [problem])


def analysed(
    identifier: str,
    study: StudyReceived,
    modality: Modality[Any],
    reading: Reading,
    pictures: Mapping[int, ObjectRef],
) -> StudyAnalysed:
    """The answer for an image that the network saw. With problems, only its quality and attributes are said."""
    event = _analysed(study, modality.name, reading.problems)
    event.model.CopyFrom(reading.model)
    event.attributes.extend(reading.attributes)
    if reading.problems:
        return event
    event.findings.extend(reading.findings)
    for place, picture in pictures.items():
        event.findings[place].picture.CopyFrom(picture)
    event.facts.extend(modality.facts(identifier, event))
    return event


def assertion(probability: float, threshold: float, *, states_absence: bool) -> Assertion.ValueType:
    """What a finding says: it is there, it is not there if the model card supports saying that, or nothing."""
    if probability >= threshold:
        return ASSERTION_PRESENT
    return ASSERTION_ABSENT if states_absence else ASSERTION_UNSPECIFIED


def finding_facts(identifier: str, analysis: StudyAnalysed) -> Iterator[ClinicalFact]:
    """A fact for each finding that asserts something; a modality with nothing more to say uses it as its `facts`."""
    seen: Counter[str] = Counter()
    for finding in analysis.findings:
        seen[finding.name] += 1
        if finding.assertion != ASSERTION_UNSPECIFIED:
            yield _fact(identifier, analysis, finding, f"{finding.name}[{seen[finding.name]}]")


def _analysed(study: StudyReceived, modality: str, problems: Sequence[str]) -> StudyAnalysed:
    return StudyAnalysed(
        patient=study.patient,
        study_instance_uid=study.study_instance_uid,
        sop_instance_uid=study.sop_instance_uid,
        accession_number=study.accession_number,
        modality=modality,
        quality=Quality(acceptable=not problems, problems=problems),
        acquired_at=study.acquired_at if study.HasField("acquired_at") else None,
    )


def _fact(identifier: str, analysis: StudyAnalysed, finding: Finding, place: str) -> ClinicalFact:
    """Preliminary: a network's opinion holds at the time of the image and waits for a physician."""
    present, model = finding.assertion == ASSERTION_PRESENT, analysis.model
    acquired = analysis.acquired_at if analysis.HasField("acquired_at") else None
    source = SourcePointer(event_id=identifier, sop_instance_uid=analysis.sop_instance_uid)
    if finding.HasField("region"):
        source.box.CopyFrom(finding.region)
    return ClinicalFact(
        fact_id=event_id("imaging-finding", identifier, place),
        kind=FACT_KIND_IMAGING_FINDING,
        patient=analysis.patient,
        code=finding.code,
        source_code=CodedConcept(system=f"urn:longitude:model:{model.name}", code=finding.name, display=finding.name),
        text=f"{finding.code.display}: {'found' if present else 'not found'} by {model.name} {model.version}",
        valid_from=acquired,
        valid_to=acquired,
        status=FACT_STATUS_PRELIMINARY,
        assertion=finding.assertion,
        provenance=PROVENANCE_COMPUTED_FROM_IMAGE,
        confidence=finding.probability if present else 1.0 - finding.probability,
        identity=Identity(groups=[f"film:{analysis.sop_instance_uid}"], names=[f"{analysis.modality}:{place}"]),
        source=source,
    )
