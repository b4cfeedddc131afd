"""Quality checks on grey values and on how a film lies."""

import numpy as np
import pytest
from imaging.modalities.chest_film.quality import pixel_problems, presentation_problems
from imaging.modalities.chest_film.training.phantom import draw_phantom


def test_a_drawn_chest_has_no_problem() -> None:
    assert pixel_problems(draw_phantom(3, opacity=False).film) == []


def test_a_small_film_is_named() -> None:
    assert pixel_problems(draw_phantom(3, opacity=False).film[:200]) == ["too small: a side has fewer than 256 pixels"]


def test_a_uniform_film_is_named() -> None:
    assert pixel_problems(np.zeros((512, 512), np.float32)) == ["uniform: there is nothing on the film"]


def test_a_flat_film_is_named() -> None:
    flat = (0.5 + 0.02 * draw_phantom(3, opacity=False).film).astype(np.float32)
    flat[0, 0], flat[0, 1] = 0.0, 1.0
    assert pixel_problems(flat) == ["too little contrast"]


@pytest.mark.parametrize(("level", "name"), [(1.0, "white"), (0.0, "black")])
def test_a_clipped_film_is_named(level: float, name: str) -> None:
    film = draw_phantom(3, opacity=False).film.copy()
    film[: film.shape[0] // 2] = level
    assert pixel_problems(film) == [f"clipped: more than 45% of the film is plain {name}"]


def test_an_upright_film_may_be_read() -> None:
    assert presentation_problems("upright", 0.99) == []


def test_a_turned_film_is_named_when_the_network_is_sure() -> None:
    assert presentation_problems("upside down", 0.97) == ["the film is upside down"]


@pytest.mark.parametrize("presentation", ["upright", "turned left"])
def test_a_network_that_cannot_say_how_the_film_lies_does_not_read_it(presentation: str) -> None:
    assert presentation_problems(presentation, 0.4) == ["does not look like an upright frontal chest film"]
