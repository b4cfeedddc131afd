"""Builds the StudyAnalysed event: quality, projection, findings, and the facts they become.

Guarantee: a film that is not fit to be read carries no finding, a finding below its threshold becomes no fact unless
the model's card supports stating absence, and the same study read by the same model gives the same facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.identifiers import event_id
from longitude.imaging.v1.events_pb2 import FilmFinding, FilmQuality, ModelVersion, StudyAnalysed
from longitude.ingestion.v1.events_pb2 import StudyReceived
from longitude.record.v1.fact_pb2 import (
    ASSERTION_ABSENT,
    ASSERTION_PRESENT,
    FACT_KIND_IMAGING_FINDING,
    FACT_STATUS_PRELIMINARY,
    PROVENANCE_COMPUTED_FROM_IMAGE,
    Box,
    ClinicalFact,
    CodedConcept,
    SourcePointer,
)
from longitude.record.v1.object_pb2 import ObjectRef

from imaging.domain import heat_map
from imaging.domain.reading import FilmModel, FilmReading

# A local code: no entry of SNOMED CT or RadLex is claimed that nobody here has checked against a release.
FINDING_SYSTEM = "urn:longitude:finding"
CONCEPTS = {"opacity": CodedConcept(system=FINDING_SYSTEM, code="lung-opacity", display="Lung opacity on chest film")}


def analysis_id(cause_id: str, model: FilmModel | None) -> str:
    """The id of the StudyAnalysed event that follows from a StudyReceived event."""
    return event_id("study-analysed", cause_id, model.version if model else "", model.sha256 if model else "")


def unreadable(study: StudyReceived, problems: Sequence[str]) -> StudyAnalysed:
    """The answer for an instance that is no readable chest film."""
    return _analysed(study, FilmQuality(acceptable=False, problems=problems))


def analysed(
    cause_id: str,
    study: StudyReceived,
    reading: FilmReading,
    problems: Sequence[str],
    view: str,
    heat_maps: Mapping[str, ObjectRef],
) -> StudyAnalysed:
    """The answer for a film that the network saw. With problems, only its quality and projection are said."""
    model = reading.model
    event = _analysed(study, FilmQuality(acceptable=not problems, problems=problems))
    event.model.CopyFrom(ModelVersion(name=model.name, version=model.version, sha256=model.sha256))
    event.projection, event.projection_probability = projection(reading, view)
    if problems:
        return event
    for index, rule in enumerate(model.findings):
        probability = float(reading.probabilities[index])
        finding = FilmFinding(
            name=rule.name,
            code=concept(rule.name),
            probability=probability,
            threshold=rule.threshold,
            region=_region(reading, index) if probability >= rule.threshold else None,
            heat_map=heat_maps.get(rule.name),
        )
        event.findings.append(finding)
        if probability >= rule.threshold or rule.states_absence:
            event.facts.append(_fact(analysis_id(cause_id, model), study, finding, model))
    return event


def projection(reading: FilmReading, view: str) -> tuple[str, float]:
    """What the modality wrote wins; else the network's opinion with its probability."""
    if view:
        return view, 1.0
    best = int(reading.projection.argmax())
    return reading.model.projections[best], float(reading.projection[best])


def concept(name: str) -> CodedConcept:
    """The code of a model output; one without an entry keeps its name."""
    return CONCEPTS.get(name, CodedConcept(system=FINDING_SYSTEM, code=name, display=name))


def _analysed(study: StudyReceived, quality: FilmQuality) -> StudyAnalysed:
    return StudyAnalysed(
        patient=study.patient,
        study_instance_uid=study.study_instance_uid,
        sop_instance_uid=study.sop_instance_uid,
        accession_number=study.accession_number,
        quality=quality,
        acquired_at=study.acquired_at if study.HasField("acquired_at") else None,
    )


def _region(reading: FilmReading, index: int) -> Box | None:
    found = heat_map.region(reading.maps[index])
    if found is None:
        return None
    left, top, width, height = found
    return Box(left=left, top=top, width=width, height=height)


def _fact(analysis: str, study: StudyReceived, finding: FilmFinding, model: FilmModel) -> ClinicalFact:
    """Preliminary: a network's opinion holds at the time of the film and waits for a radiologist."""
    present = finding.probability >= finding.threshold
    acquired = study.acquired_at if study.HasField("acquired_at") else None
    source = SourcePointer(event_id=analysis, sop_instance_uid=study.sop_instance_uid)
    if finding.HasField("region"):
        source.box.CopyFrom(finding.region)
    return ClinicalFact(
        fact_id=event_id("imaging-finding", analysis, finding.name),
        kind=FACT_KIND_IMAGING_FINDING,
        patient=study.patient,
        code=finding.code,
        source_code=CodedConcept(system=f"urn:longitude:model:{model.name}", code=finding.name, display=finding.name),
        text=f"{finding.code.display}: {'found' if present else 'not found'} by {model.name} {model.version}",
        valid_from=acquired,
        valid_to=acquired,
        status=FACT_STATUS_PRELIMINARY,
        assertion=ASSERTION_PRESENT if present else ASSERTION_ABSENT,
        provenance=PROVENANCE_COMPUTED_FROM_IMAGE,
        confidence=finding.probability if present else 1.0 - finding.probability,
        slot=f"film:{study.sop_instance_uid}:{finding.name}",
        source=source,
    )
