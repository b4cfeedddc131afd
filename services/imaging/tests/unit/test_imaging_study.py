"""StudyAnalysed events and the facts of findings, whatever the modality."""

import pytest
from imaging.domain import study
from imaging.domain.modality import Reading
from imaging.modalities.chest_film.modality import MODALITY
from longitude.imaging.v1.events_pb2 import Attribute, Finding, ModelVersion, StudyAnalysed
from longitude.ingestion.v1.events_pb2 import StudyReceived
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.object_pb2 import ObjectRef

CAUSE = "11111111-1111-5111-8111-111111111111"
PICTURE = ObjectRef(bucket="imaging-analyses", key="k", sha256="0" * 64, size=1, media_type="image/png")
MODEL = ModelVersion(name="chest_film", version="1", sha256="ab" * 32)
IDENTIFIER = study.analysis_id(CAUSE, MODEL)
BOX = pb.Box(left=0.25, top=0.5, width=0.25, height=0.125)


def received() -> StudyReceived:
    event = StudyReceived(
        patient=pb.PatientKey(id="NW-204417", authority="NORTHWEST"),
        study_instance_uid="2.25.3",
        sop_instance_uid="2.25.1",
        accession_number="A1",
        modality="DX",
    )
    event.acquired_at.FromJsonString("2026-10-05T08:40:00Z")
    return event


def finding(probability: float, *, states_absence: bool = False, name: str = "opacity") -> Finding:
    return Finding(
        name=name,
        code=pb.CodedConcept(system=study.FINDING_SYSTEM, code=name, display=name.title()),
        probability=probability,
        threshold=0.6,
        assertion=study.assertion(probability, 0.6, states_absence=states_absence),
        region=BOX if probability >= 0.6 else None,
    )


def analysed(*findings: Finding, problem: str = "") -> StudyAnalysed:
    attributes = [Attribute(name="projection", text="PA", probability=1.0)]
    reading = Reading(MODEL, [problem] if problem else [], attributes, findings)
    return study.analysed(IDENTIFIER, received(), MODALITY, reading, {} if problem or not findings else {0: PICTURE})


def test_a_finding_above_its_threshold_is_a_present_fact_that_points_at_the_image() -> None:
    event = analysed(finding(0.8))
    assert event.quality.acceptable
    assert (event.modality, event.model, event.attributes[0].text) == ("chest_film", MODEL, "PA")
    (seen,) = event.findings
    assert (seen.name, seen.picture, seen.assertion) == ("opacity", PICTURE, pb.ASSERTION_PRESENT)
    (fact,) = event.facts
    assert (fact.kind, fact.assertion) == (pb.FACT_KIND_IMAGING_FINDING, pb.ASSERTION_PRESENT)
    assert fact.provenance == pb.PROVENANCE_COMPUTED_FROM_IMAGE
    assert fact.confidence == pytest.approx(0.8)
    assert fact.source.sop_instance_uid == "2.25.1"
    assert fact.source.event_id == IDENTIFIER
    assert fact.source.box == seen.region == BOX
    assert fact.patient == received().patient
    assert fact.valid_from == fact.valid_to == received().acquired_at


def test_a_finding_below_its_threshold_is_reported_and_becomes_no_fact() -> None:
    event = analysed(finding(0.5))
    assert [(seen.name, seen.assertion) for seen in event.findings] == [("opacity", pb.ASSERTION_UNSPECIFIED)]
    assert list(event.facts) == []


def test_absence_is_stated_only_by_a_model_whose_card_supports_it() -> None:
    (fact,) = analysed(finding(0.1, states_absence=True)).facts
    assert fact.assertion == pb.ASSERTION_ABSENT
    assert fact.confidence == pytest.approx(0.9)


def test_two_findings_of_one_name_are_two_facts_in_two_slots() -> None:
    facts = analysed(finding(0.8), finding(0.7), finding(0.9, name="effusion")).facts
    assert len({fact.fact_id for fact in facts}) == len({str(fact.identity) for fact in facts}) == 3


def test_an_image_that_is_not_fit_to_be_read_has_problems_and_no_finding() -> None:
    event = analysed(finding(0.99), problem="the film is upside down")
    assert not event.quality.acceptable
    assert list(event.quality.problems) == ["the film is upside down"]
    assert (list(event.findings), list(event.facts)) == ([], [])
    assert (event.model.version, len(event.attributes)) == ("1", 1)


def test_an_unreadable_instance_is_answered_with_its_problem() -> None:
    event = study.unreadable(received(), "not a DICOM file", "chest_film")
    assert (event.quality.acceptable, list(event.quality.problems)) == (False, ["not a DICOM file"])
    assert (event.sop_instance_uid, event.accession_number, event.modality) == ("2.25.1", "A1", "chest_film")
    assert (list(event.findings), event.HasField("model")) == ([], False)


def test_the_same_image_read_by_the_same_model_gives_the_same_bytes() -> None:
    one, two = (analysed(finding(0.8)) for _ in range(2))
    assert one.SerializeToString(deterministic=True) == two.SerializeToString(deterministic=True)


def test_another_model_gives_another_event() -> None:
    other = ModelVersion(name=MODEL.name, version="2", sha256=MODEL.sha256)
    assert study.analysis_id(CAUSE, other) != IDENTIFIER
