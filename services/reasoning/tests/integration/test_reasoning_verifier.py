"""The verifier's model as Triton serves it, and an assessment without it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from entailment.judge import WEIGHTS as FILE
from entailment.judge import Judge as InProcess
from grounding import Pair, Verdict, Verified
from reasoning.adapters.triton import Judge
from reasoning.consultation import judged
from servicekit.errors import UnavailableError
from servicekit.triton import TritonClient
from testkit.patients import example_patient

PAIRS = [
    Pair(f"Potassium crept up to {n}.{n} mmol/L.", f"potassium 4.0 mmol/L; potassium {n}.{n} mmol/L") for n in range(40)
]
WEIGHTS = Path(__file__).resolve().parents[4] / "deploy/triton/models/verifier/1" / FILE
NOBODY = "127.0.0.1:9"


@pytest.fixture
async def served(triton: Callable[..., str]) -> AsyncIterator[TritonClient]:
    async with TritonClient.connect(triton("verifier")) as client:
        yield client


@pytest.fixture
async def unreachable() -> AsyncIterator[Judge]:
    async with TritonClient.connect(NOBODY) as client:
        yield Judge(client)


def open_text() -> Verified:
    return example_patient().check("Potassium was 5.6 mmol/L because of dehydration.", "k")


async def test_triton_answers_what_the_model_computes_here(served: TritonClient) -> None:
    answered = await Judge(served).judge(PAIRS)
    here = InProcess(WEIGHTS).judge([(pair.sentence, pair.evidence) for pair in PAIRS])
    found = np.array([(one.supported, one.contradicted, one.unsupported) for one in map(answered.__getitem__, PAIRS)])
    assert np.abs(found - here).max() < 1e-4


async def test_requests_at_the_same_moment_get_each_their_own_answer(served: TritonClient) -> None:
    concurrent = await asyncio.gather(*(Judge(served).judge([pair]) for pair in PAIRS[:12]))
    together = await Judge(served).judge(PAIRS[:12])
    for pair, answer in zip(PAIRS, concurrent, strict=False):
        assert answer[pair].supported == pytest.approx(together[pair].supported, abs=1e-4)


async def test_a_pair_is_asked_once_and_another_number_is_another_pair(
    served: TritonClient, unreachable: Judge
) -> None:
    judge = Judge(served)
    first = await judge.judge(PAIRS[:3])
    judge._client = unreachable._client
    assert await judge.judge(PAIRS[:3]) == first
    with pytest.raises(UnavailableError):
        await judge.judge([Pair(PAIRS[0].sentence.replace("0.0", "0.1"), PAIRS[0].evidence)])


async def test_a_judgement_becomes_the_probability_of_what_was_open(served: TritonClient) -> None:
    (found,), missing = await judged([open_text()], Judge(served))
    assert (found.verdict, missing) == (Verdict.UNSUPPORTED, [])
    judgement = await Judge(served).judge([open_text().open[0].pair])
    supported = judgement[open_text().open[0].pair].supported
    assert found.probability == pytest.approx(min(1 - supported, open_text().probability), abs=1e-4)


async def test_without_the_model_the_typed_verdict_stands_and_the_assessment_says_so(unreachable: Judge) -> None:
    text = open_text()
    assert await judged([text], unreachable) == ([text], ["verifier: 1 sentence was judged by the typed checks alone"])


async def test_the_model_is_not_asked_where_nothing_is_open(unreachable: Judge) -> None:
    decided = example_patient().check("Potassium was 5.6 mmol/L.", "k")
    assert await judged([decided], unreachable) == ([decided], [])
