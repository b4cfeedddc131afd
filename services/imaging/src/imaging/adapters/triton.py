"""The networks on Triton: the one of each modality, and `page_reader` for page images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from contracts.errors import PermanentError
from longitude.imaging.v1.events_pb2 import ModelVersion
from numpy.typing import NDArray
from servicekit.triton import TritonClient

from imaging.domain.modality import Network, Tensors
from imaging.domain.page import Line, Page
from imaging.domain.scan import Scan

PAGE_READER, PAGE_SECONDS = "page_reader", 120.0


class Networks:
    """UnavailableError when Triton cannot be reached or is late; PermanentError for an answer that is none."""

    def __init__(self, client: TritonClient, models: Sequence[str]) -> None:
        """The models of the modalities must be ready beside the page reader."""
        self._client = client
        self._models = (*models, PAGE_READER)

    async def ready(self) -> None:
        """Raise UnavailableError unless all models can serve."""
        for model in self._models:
            await self._client.ready(model)

    async def infer(self, network: Network, image: Tensors) -> Tensors:
        """One image, as a batch of one -> the outputs that the network is asked for."""
        batch = {name: tensor[None] for name, tensor in image.items()}
        answer = await self._client.infer(network.model, batch, network.outputs, network.seconds)
        try:
            return {name: answer[name][0] for name in network.outputs}
        except (IndexError, TypeError) as error:
            raise PermanentError("network-answer") from error

    async def read_page(self, scan: Scan) -> tuple[Page, ModelVersion]:
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
        return Page(scan.number, scan.width, scan.height, lines), model


def _line(text: bytes, score: Any, corners: NDArray[np.float32]) -> Line:
    first, second, third, fourth = ((float(x), float(y)) for x, y in corners)
    return Line(text.decode(), float(score), (first, second, third, fourth))
