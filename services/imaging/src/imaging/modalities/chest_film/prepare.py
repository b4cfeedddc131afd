"""From a film to what its network takes."""

from __future__ import annotations

from imaging.domain.dicom import Picture
from imaging.domain.modality import Tensors
from imaging.modalities.chest_film.film import Film, read_film
from imaging.modalities.chest_film.pipeline import network_input


def prepare(picture: Picture) -> tuple[Film, Tensors]:
    """The film as it is, and the tensor that the pipeline makes of it."""
    film = read_film(picture)
    return film, {"FILM": network_input(film.pixels)}
