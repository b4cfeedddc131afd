"""The embedder on Triton: text in, a direction in 384 dimensions out."""

from collections.abc import Sequence

import numpy as np
from servicekit.triton import TritonClient

MODEL = "embedder"
# The model's max_batch_size.
BATCH = 32


class Embedder:
    """Raises UnavailableError when Triton is out of reach, PermanentError when it refuses."""

    def __init__(self, client: TritonClient) -> None:
        self._client = client

    async def ready(self) -> None:
        """UnavailableError unless the model can serve."""
        await self._client.ready(MODEL)

    async def embed(self, texts: Sequence[str], timeout_s: float) -> list[list[float]]:
        """One L2-normalised vector per text, in order. What goes beyond 256 tokens of a text is not read."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), BATCH):
            batch = [text.encode() for text in texts[start : start + BATCH]]
            tensor = np.array(batch, dtype=np.object_).reshape(-1, 1)
            answer = await self._client.infer(MODEL, {"TEXT": tensor}, ["EMBEDDING"], timeout_s)
            vectors += answer["EMBEDDING"].tolist()
        return vectors
