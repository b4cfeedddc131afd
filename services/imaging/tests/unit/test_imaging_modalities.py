"""Modalities: found by listing their folder, chosen by what the event says, whole in themselves."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imaging import modalities
from imaging.domain import dicom, study
from imaging.domain.modality import Modality, UnreadableImageError, accepting
from longitude.ingestion.v1.events_pb2 import StudyReceived
from longitude.record.v1 import fact_pb2 as pb

CAUSE = "11111111-1111-5111-8111-111111111111"
MODELS = Path(__file__).resolve().parents[4] / "deploy/triton/models"
CARD = json.dumps({"name": "chest_film", "version": "1", "sha256": "ab" * 32}).encode()
OUTPUTS = {"PROBABILITIES": np.array([0.75], np.float32), "CARD": np.array([CARD], np.object_)}


def received(modality: str, body_part: str = "") -> StudyReceived:
    patient = pb.PatientKey(id="NW-204417", authority="NORTHWEST")
    return StudyReceived(patient=patient, sop_instance_uid="2.25.1", modality=modality, body_part=body_part)


def test_a_new_modality_is_one_folder_from_the_study_to_its_facts(
    with_skin_photo: tuple[Modality[Any], ...], photo_file: Callable[[int], bytes]
) -> None:
    modality = accepting(with_skin_photo, received("XC"))
    photo, tensors = modality.prepare(dicom.read(photo_file(2)))
    assert tensors["FILM"].shape == (1, 96, 96)
    analysis = study.analysed(CAUSE, received("XC"), modality, modality.read(photo, OUTPUTS), {})
    assert (analysis.modality, analysis.quality.acceptable) == ("skin_photo", True)
    assert [attribute.text for attribute in analysis.attributes] == ["polarised"]
    assert [finding.attributes[0].quantity.value for finding in analysis.findings] == ["40", "40"]
    first, second = analysis.facts
    assert (first.code.code, first.assertion) == ("dark-spot", pb.ASSERTION_PRESENT)
    assert first.source.box == analysis.findings[0].region
    assert [*first.identity.names, *second.identity.names] == ["skin_photo:spot[1]", "skin_photo:spot[2]"]
    assert first.fact_id != second.fact_id


def test_problems_of_any_modality_leave_no_finding(
    with_skin_photo: tuple[Modality[Any], ...], photo_file: Callable[[int], bytes]
) -> None:
    modality = accepting(with_skin_photo, received("XC"))
    reading = modality.read(modality.prepare(dicom.read(photo_file(0)))[0], OUTPUTS)
    analysis = study.analysed(CAUSE, received("XC"), modality, reading, {})
    assert list(analysis.quality.problems) == ["no spot on the photograph"]
    assert (list(analysis.findings), list(analysis.facts)) == ([], [])


def test_every_folder_is_known_by_its_name_and_nothing_else_is() -> None:
    folders = {path.parent.name for path in Path(modalities.__file__).parent.glob("*/modality.py")}
    assert {modality.name for modality in modalities.known()} == folders
    assert "chest_film" in folders


@pytest.mark.parametrize("modality", modalities.known(), ids=lambda modality: modality.name)
def test_a_modality_asks_a_model_of_triton_for_outputs_that_it_has(modality: Modality[Any]) -> None:
    config = (MODELS / modality.network.model / "config.pbtxt").read_text(encoding="utf-8")
    assert set(modality.network.outputs) <= set(re.findall(r'name: "(\w+)"', config))


@pytest.mark.parametrize(
    ("modality", "body_part"), [("DX", "CHEST"), ("CR", ""), ("", "thorax"), ("", ""), ("DX", "LUNG ")]
)
def test_a_chest_film_or_what_may_be_one_goes_to_the_chest_film(modality: str, body_part: str) -> None:
    assert accepting(modalities.known(), received(modality, body_part)).name == "chest_film"


@pytest.mark.parametrize(("modality", "body_part"), [("MR", ""), ("DX", "KNEE"), ("XC", "")])
def test_what_no_modality_takes_is_a_problem(modality: str, body_part: str) -> None:
    with pytest.raises(UnreadableImageError, match="no modality takes this kind of image"):
        accepting(modalities.known(), received(modality, body_part))


def test_what_several_modalities_take_is_given_to_none() -> None:
    (chest_film,) = modalities.known()
    with pytest.raises(UnreadableImageError, match="several modalities take it: chest_film, other"):
        accepting((chest_film, replace(chest_film, name="other")), received("DX"))
