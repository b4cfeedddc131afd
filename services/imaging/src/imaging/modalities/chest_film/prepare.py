"""From a film's file to what its network takes."""

from __future__ import annotations

from imaging.domain.modality import Tensors
from imaging.modalities.chest_film.film import Film, read_film
from imaging.modalities.chest_film.pipeline import network_input


def prepare(data: bytes) -> tuple[Film, Tensors]:
    """The film as it is, and the tensor that the pipeline makes of it."""
    film = read_film(data)
    return film, {"FILM": network_input(film.pixels)}
