"""The adapter against the real reasoner: an episode stays with the version it began with, or is told to begin again."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from contracts.errors import UnavailableError
from harness import Generate, ModelPin
from reasoning.adapters.triton import Reasoner, ReasonerRefusedError
from servicekit.triton import TritonClient

ASKED = Generate("historian", "gather", (1, 4093, 198), "", 4, 0.0, 1.0, 0, ())


@pytest.fixture
async def reasoner(triton: Callable[..., str]) -> AsyncIterator[Reasoner]:
    async with TritonClient.connect(triton("reasoner")) as client:
        yield Reasoner(client, timeout_s=60)


async def test_an_episode_is_answered_by_the_version_it_was_pinned_to(reasoner: Reasoner) -> None:
    pin = await reasoner.pin()
    assert pin.version.isdecimal()
    told: list[int] = []
    assert len((await reasoner.generate(ASKED, pin, told.append)).output_ids) == sum(told) == 4


async def test_an_episode_whose_version_is_gone_is_told_to_begin_again(reasoner: Reasoner) -> None:
    pin = replace(await reasoner.pin(), version="987654")
    with pytest.raises(UnavailableError, match="is not served any more; ask again"):
        await reasoner.generate(ASKED, pin, lambda _: None)


async def test_another_model_under_the_pinned_version_is_not_believed(reasoner: Reasoner) -> None:
    pin = await reasoner.pin()
    with pytest.raises(UnavailableError, match="was replaced during the episode"):
        await reasoner.generate(ASKED, ModelPin(pin.name, "0" * 64, pin.version), lambda _: None)


async def test_a_request_that_the_model_refuses_is_not_taken_for_a_version_that_is_gone(reasoner: Reasoner) -> None:
    with pytest.raises(ReasonerRefusedError):
        await reasoner.generate(replace(ASKED, max_tokens=100_000), await reasoner.pin(), lambda _: None)
