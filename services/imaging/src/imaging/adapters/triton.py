"""The two networks on Triton: `chest_film` for prepared films, `page_reader` for page images."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from eventbus import PermanentError
from longitude.imaging.v1.events_pb2 import ModelVersion
from numpy.typing import NDArray
from servicekit.triton import TritonClient

from imaging.domain.page import Line, Page
from imaging.domain.reading import FilmModel, FilmReading
from imaging.domain.scan import Scan

CHEST_FILM, PAGE_READER = "chest_film", "page_reader"
FILM_SECONDS, PAGE_SECONDS = 30.0, 120.0


class Networks:
    """TransientError when Triton cannot be reached or is late; PermanentError for an answer that is none."""

    def __init__(self, client: TritonClient) -> None:
        self._client = client

    async def ready(self) -> None:
        """Raise TransientError unless both models can serve."""
        for model in (CHEST_FILM, PAGE_READER):
            await self._client.ready(model)

    async def read_film(self, film: NDArray[np.float32]) -> FilmReading:
        """[1, SIDE, SIDE] as imaging.domain.pipeline prepares it -> the model's reading."""
        names = ("PROBABILITIES", "PROJECTION", "PRESENTATION", "ACTIVATION_MAPS", "CARD")
        answer = await self._client.infer(CHEST_FILM, {"FILM": film[None]}, names, FILM_SECONDS)
        try:
            model = FilmModel.parse(answer["CARD"].ravel()[0])
            outputs = [answer[name][0] for name in names[:4]]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise PermanentError("chest-film-answer") from error
        return FilmReading(model, *outputs)

    async def read_page(self, number: int, scan: Scan) -> tuple[Page, ModelVersion]:
        """One page -> its lines with their places, and the reader that read it."""
        page = np.array([scan.png], dtype=np.object_)
        answer = await self._client.infer(
            PAGE_READER, {"PAGE": page}, ("TEXT", "SCORE", "CORNERS", "CARD"), PAGE_SECONDS
        )
        try:
            card = json.loads(answer["CARD"].ravel()[0])
            model = ModelVersion(name=card["name"], version=card["version"], sha256=card["sha256"])
            rows = zip(answer["TEXT"], answer["SCORE"], answer["CORNERS"], strict=True)
            lines = tuple(_line(*row) for row in rows)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise PermanentError("page-reader-answer") from error
        return Page(number, scan.width, scan.height, lines), model


def _line(text: bytes, score: Any, corners: NDArray[np.float32]) -> Line:
    first, second, third, fourth = ((float(x), float(y)) for x, y in corners)
    return Line(text.decode(), float(score), (first, second, third, fourth))
