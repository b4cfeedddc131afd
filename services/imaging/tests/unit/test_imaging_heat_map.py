"""Overlays and regions from activation maps."""

import io

import numpy as np
import pytest
from imaging.domain.heat_map import LARGEST_SIDE, overlay_png, region
from imaging.modalities.chest_film.training.phantom import draw_phantom
from PIL import Image


def evidence_at(row: int, column: int, side: int = 12) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    evidence = np.full((side, side), -1.0, dtype=np.float32)
    evidence[row : row + 2, column : column + 3] = 4.0
    return evidence


def test_the_region_holds_the_strongest_evidence_in_fractions() -> None:
    assert region(evidence_at(6, 3)) == pytest.approx((3 / 12, 6 / 12, 3 / 12, 2 / 12))


def test_only_the_strongest_of_several_places_is_the_region() -> None:
    evidence = evidence_at(6, 3)
    evidence[0, 11] = 3.9
    assert region(evidence) == pytest.approx((3 / 12, 6 / 12, 3 / 12, 2 / 12))


def test_no_evidence_for_a_finding_gives_no_region() -> None:
    assert region(np.full((12, 12), -2.0, dtype=np.float32)) is None


def test_the_overlay_is_a_colour_png_of_bounded_size_marked_where_the_evidence_is() -> None:
    film = np.tile(draw_phantom(2, opacity=False).film, (4, 4))
    image = Image.open(io.BytesIO(overlay_png(film, evidence_at(6, 3))))
    assert image.format == "PNG"
    assert max(image.size) == LARGEST_SIDE
    pixels = np.asarray(image).astype(int)
    coloured = np.ptp(pixels, axis=2) > 30
    rows, columns = np.nonzero(coloured)
    assert 0.35 < rows.mean() / image.height < 0.8
    assert 0.15 < columns.mean() / image.width < 0.6
    assert not coloured[:, -100:].any()


def test_the_same_film_gives_the_same_bytes() -> None:
    film = draw_phantom(2, opacity=False).film
    assert overlay_png(film, evidence_at(6, 3)) == overlay_png(film, evidence_at(6, 3))
