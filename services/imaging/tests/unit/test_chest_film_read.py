"""What the chest-film network's outputs say about a film."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from imaging.domain.modality import UnusableAnswerError
from imaging.modalities.chest_film import quality
from imaging.modalities.chest_film.film import Film
from imaging.modalities.chest_film.read import read
from imaging.modalities.chest_film.training.phantom import draw_phantom
from longitude.record.v1 import fact_pb2 as pb

FILM = Film(draw_phantom(3, opacity=False).film, "")


def outputs(probability: float, *, states_absence: bool = False, upright: float = 1.0) -> dict[str, Any]:
    card = {
        "name": "chest_film",
        "version": "1",
        "sha256": "ab" * 32,
        "findings": [{"name": "opacity", "threshold": 0.6, "states_absence": states_absence}],
        "projections": ["PA", "AP"],
        "presentations": ["upright", "upside down"],
    }
    maps = np.full((1, 12, 12), -1.0, np.float32)
    maps[0, 6:8, 3:6] = 5.0
    return {
        "PROBABILITIES": np.array([probability], np.float32),
        "PROJECTION": np.array([0.25, 0.75], np.float32),
        "PRESENTATION": np.array([upright, 1 - upright], np.float32),
        "ACTIVATION_MAPS": maps,
        "CARD": np.array([json.dumps(card).encode()], np.object_),
    }


def test_a_finding_above_its_threshold_is_present_and_has_a_region_and_a_drawing() -> None:
    reading = read(FILM, outputs(0.8))
    (finding,) = reading.findings
    assert (finding.name, finding.code.code, finding.assertion) == ("opacity", "lung-opacity", pb.ASSERTION_PRESENT)
    assert (finding.region.left, finding.region.top) == pytest.approx((3 / 12, 6 / 12))
    assert finding.probability == pytest.approx(0.8)
    assert reading.drawings[0].startswith(b"\x89PNG")
    assert (reading.model.name, reading.model.version, list(reading.problems)) == ("chest_film", "1", [])


def test_a_finding_below_its_threshold_asserts_nothing_and_has_no_region_but_its_drawing() -> None:
    reading = read(FILM, outputs(0.5))
    assert reading.findings[0].assertion == pb.ASSERTION_UNSPECIFIED
    assert not reading.findings[0].HasField("region")
    assert list(reading.drawings) == [0]


def test_absence_is_asserted_only_where_the_card_supports_it() -> None:
    assert read(FILM, outputs(0.1, states_absence=True)).findings[0].assertion == pb.ASSERTION_ABSENT


def test_the_views_tag_wins_over_the_network() -> None:
    (tag,) = read(replace(FILM, view="PA"), outputs(0.5)).attributes
    (opinion,) = read(FILM, outputs(0.5)).attributes
    assert (tag.name, tag.text, tag.probability) == ("projection", "PA", 1.0)
    assert opinion.text == "AP"
    assert opinion.probability == pytest.approx(0.75)


def test_a_turned_film_has_its_problem_and_no_drawing() -> None:
    reading = read(FILM, outputs(0.8, upright=0.02))
    assert list(reading.problems) == ["the film is upside down"]
    assert reading.drawings == {}


def test_a_lateral_film_is_refused() -> None:
    assert quality.LATERAL in read(replace(FILM, view="LL"), outputs(0.8)).problems


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARD", np.array([b'{"name": "chest_film"}'], np.object_)),
        ("CARD", np.array([b"no card"], np.object_)),
        ("CARD", np.array([], np.object_)),
        ("PROBABILITIES", np.array([0.5, 0.5], np.float32)),
        ("PROJECTION", np.array([1.0], np.float32)),
    ],
)
def test_an_answer_that_does_not_fit_its_card_is_refused(name: str, value: Any) -> None:
    with pytest.raises(UnusableAnswerError):
        read(FILM, {**outputs(0.5), name: value})


def test_a_missing_output_is_refused() -> None:
    tensors = outputs(0.5)
    del tensors["ACTIVATION_MAPS"]
    with pytest.raises(UnusableAnswerError):
        read(FILM, tensors)
