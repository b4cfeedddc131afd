"""StudyAnalysed events."""

import numpy as np
import pytest
from imaging.domain import study
from imaging.domain.reading import FilmModel, FilmReading, FindingRule
from longitude.ingestion.v1.events_pb2 import StudyReceived
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.object_pb2 import ObjectRef

CAUSE = "11111111-1111-5111-8111-111111111111"
HEAT_MAP = ObjectRef(bucket="imaging-analyses", key="k", sha256="0" * 64, size=1, media_type="image/png")


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


def reading(probability: float, *, states_absence: bool = False) -> FilmReading:
    rules = (FindingRule("opacity", 0.6, states_absence),)
    model = FilmModel("chest_film", "1", "ab" * 32, rules, ("PA", "AP"), ("upright",))
    maps = np.full((1, 12, 12), -1.0, np.float32)
    maps[0, 6:8, 3:6] = 5.0
    return FilmReading(
        model,
        np.array([probability], np.float32),
        np.array([0.25, 0.75], np.float32),
        np.array([1.0], np.float32),
        maps,
    )


def test_a_finding_above_its_threshold_is_a_present_fact_that_points_at_the_film() -> None:
    event = study.analysed(CAUSE, received(), reading(0.8), [], "", {"opacity": HEAT_MAP})
    assert event.quality.acceptable
    (finding,) = event.findings
    assert (finding.name, finding.heat_map) == ("opacity", HEAT_MAP)
    assert finding.probability == pytest.approx(0.8)
    (fact,) = event.facts
    assert (fact.kind, fact.assertion) == (pb.FACT_KIND_IMAGING_FINDING, pb.ASSERTION_PRESENT)
    assert fact.provenance == pb.PROVENANCE_COMPUTED_FROM_IMAGE
    assert fact.confidence == pytest.approx(0.8)
    assert fact.source.sop_instance_uid == "2.25.1"
    assert fact.source.event_id == study.analysis_id(CAUSE, reading(0.8).model)
    assert fact.source.box == finding.region
    assert fact.patient == received().patient
    assert fact.valid_from == fact.valid_to == received().acquired_at


def test_a_finding_below_its_threshold_is_reported_and_becomes_no_fact() -> None:
    event = study.analysed(CAUSE, received(), reading(0.5), [], "", {})
    assert [finding.name for finding in event.findings] == ["opacity"]
    assert not event.findings[0].HasField("region")
    assert list(event.facts) == []


def test_absence_is_stated_only_by_a_model_whose_card_supports_it() -> None:
    (fact,) = study.analysed(CAUSE, received(), reading(0.1, states_absence=True), [], "", {}).facts
    assert fact.assertion == pb.ASSERTION_ABSENT
    assert fact.confidence == pytest.approx(0.9)


def test_a_film_that_is_not_fit_to_be_read_has_problems_and_no_finding() -> None:
    event = study.analysed(CAUSE, received(), reading(0.99), ["the film is upside down"], "", {})
    assert not event.quality.acceptable
    assert list(event.quality.problems) == ["the film is upside down"]
    assert (list(event.findings), list(event.facts)) == ([], [])
    assert event.model.version == "1"


def test_an_unreadable_instance_is_answered_with_its_problem() -> None:
    event = study.unreadable(received(), ["not a DICOM file"])
    assert not event.quality.acceptable
    assert (event.sop_instance_uid, event.accession_number) == ("2.25.1", "A1")
    assert list(event.findings) == []


def test_the_views_tag_wins_over_the_network() -> None:
    assert study.projection(reading(0.5), "PA") == ("PA", 1.0)
    name, probability = study.projection(reading(0.5), "")
    assert name == "AP"
    assert probability == pytest.approx(0.75)


def test_the_same_film_read_by_the_same_model_gives_the_same_bytes() -> None:
    one, two = (study.analysed(CAUSE, received(), reading(0.8), [], "", {}) for _ in range(2))
    assert one.SerializeToString(deterministic=True) == two.SerializeToString(deterministic=True)


def test_another_model_gives_another_event() -> None:
    model = reading(0.8).model
    other = FilmModel(model.name, "2", model.sha256, model.findings, model.projections, model.presentations)
    assert study.analysis_id(CAUSE, model) != study.analysis_id(CAUSE, other)


def test_a_card_that_is_none_is_refused() -> None:
    with pytest.raises((KeyError, ValueError)):
        FilmModel.parse(b'{"name": "chest_film"}')
