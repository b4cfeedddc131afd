"""The embedder as Triton serves it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from contracts.errors import UnavailableError
from memory.adapters.triton import Embedder
from memory.domain.vectors import DIMENSIONS
from servicekit.triton import TritonClient


@pytest.fixture
async def embedder(triton: Callable[..., str]) -> AsyncIterator[Embedder]:
    async with TritonClient.connect(triton("embedder")) as client:
        yield Embedder(client)


async def test_a_vector_has_length_one_and_384_numbers(embedder: Embedder) -> None:
    vectors = np.array(await embedder.embed(["Creatinine rose.", "x", "Ödem, 5 µmol/L"], 30.0))
    assert vectors.shape == (3, DIMENSIONS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1.0, 1.0, 1.0], abs=1e-5)


async def test_texts_of_like_meaning_are_nearer_than_others(embedder: Embedder) -> None:
    kidney, renal, cat = np.array(
        await embedder.embed(["Kidney function is falling.", "Renal function declines.", "The cat sleeps."], 30.0)
    )
    assert kidney @ renal > 0.6 > kidney @ cat


async def test_a_text_has_the_same_vector_alone_and_among_others(embedder: Embedder) -> None:
    texts = [f"Potassium was {n / 10} mmol/L " + "and stable " * n for n in range(40)]
    together = np.array(await embedder.embed(texts, 60.0))
    alone = np.array([(await embedder.embed([texts[n]], 30.0))[0] for n in (0, 20, 39)])
    assert np.abs(together[[0, 20, 39]] - alone).max() < 1e-4


async def test_requests_at_the_same_moment_get_each_their_own_answer(embedder: Embedder) -> None:
    texts = [f"Patient number {n} takes drug {n}." for n in range(24)]
    concurrent = await asyncio.gather(*(embedder.embed([text], 60.0) for text in texts))
    one_by_one = await embedder.embed(texts, 60.0)
    assert np.abs(np.array([answer[0] for answer in concurrent]) - np.array(one_by_one)).max() < 1e-4


async def test_a_triton_that_is_away_is_something_to_wait_for() -> None:
    async with TritonClient.connect("127.0.0.1:9") as client:
        with pytest.raises(UnavailableError):
            await Embedder(client).embed(["x"], 2.0)
