"""A whole follow-up, with the model: from the question to the released assessment, through the real stack (gRPC Ask).

Patients of the stories are sent over MLLP; their questions are asked one after the other. Where the time goes is read
from the progress that the caller sees: memory is read and the rules speak (`record`), the model reads and acts
(`model`), everything is verified and stored (`gate`). What rules, grammar and verification take of it is measured in
this process on the same stories (costs.py), once the stack is down.
"""

import asyncio
import time
from dataclasses import dataclass, field

from client.api import MemoryClient, ReasoningClient
from client.errors import NotThereError
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.reasoning.v1.reasoning_service_pb2 import Progress
from longitude.record.v1.fact_pb2 import PatientKey
from testkit.mllp import MllpClient
from testkit.stories import Story, story

from tests.benchmarks.costs import Costs, costs
from tests.benchmarks.load import percentile
from tests.benchmarks.stacks import Stacks
from tests.results import Result

FULL, SHORT = 12, 1
PHASES = ("record", "model", "gate")
PARTS = ("kafka", "postgres", "objects", "triton", "ingestion", "memory", "imaging", "reasoning")
MODELS = ("embedder", "reasoner", "chest_film", "page_reader")
# Progress that begins a phase. That of the rules comes when they have spoken: from then on it is the model's time.
_BEGINS = {"memory": "record", "gate": "gate"}
_SETTLED_S = 3.0


@dataclass
class Timing:
    """One question, in seconds since it was asked."""

    began: float = field(default_factory=time.perf_counter)
    first: float = 0.0
    whole: float = 0.0
    tokens: int = 0
    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    _phase: str = "record"
    _since: float = field(default_factory=time.perf_counter)

    def hear(self, progress: Progress) -> None:
        """A phase lasts until the progress of the next."""
        self.first = self.first or time.perf_counter() - self.began
        self.tokens += progress.tokens
        self._enter(_BEGINS.get(progress.role, "model"))

    def end(self) -> None:
        self._enter("")
        self.whole = time.perf_counter() - self.began

    def _enter(self, phase: str) -> None:
        now = time.perf_counter()
        self.spent[self._phase] += now - self._since
        self._phase, self._since = phase, now


def run(stacks: Stacks, questions: int = FULL) -> Result:
    """The stories are told, then asked about, one question each; the first of many is asked once before it counts."""
    stories = [story(700_000 + number) for number in range(questions)]
    with stacks(PARTS, MODELS) as endpoints:
        timings = asyncio.run(_ask_all(endpoints, stories))
    return Result("assessment", _figures(timings, costs(stories)), len(timings), note="one question at a time")


def _figures(timings: list[Timing], costs: Costs) -> dict[str, float]:
    whole, first = sorted(each.whole for each in timings), sorted(each.first for each in timings)
    seconds, tokens = sum(whole), sum(each.tokens for each in timings)
    token_s = sum(each.spent["model"] for each in timings) / max(tokens, 1)
    shares = {f"share_{phase}": sum(each.spent[phase] for each in timings) / seconds for phase in PHASES}
    return {
        "p50_s": percentile(whole, 0.5),
        "p99_s": percentile(whole, 0.99),
        "first_progress_p50_s": percentile(first, 0.5),
        "tokens": tokens / len(timings),
        "ms_per_token": token_s * 1000,
        **shares,
        "share_rules": costs.rules_s * len(timings) / seconds,
        "share_verification": costs.verification_s * len(timings) / seconds,
        "grammar_share_of_a_token": (costs.compile_s + costs.mask_s) / token_s,
        "compile_ms_per_token": costs.compile_s * 1000,
        "mask_ms_per_token": costs.mask_s * 1000,
    }


async def _ask_all(endpoints: dict[str, str], stories: list[Story]) -> list[Timing]:
    for told in stories:
        async with MllpClient(endpoints["LONGITUDE_MLLP"]) as feed:
            for message in told.messages:
                assert b"MSA|AA" in await feed.send(message)
    async with (
        MemoryClient.connect(endpoints["LONGITUDE_MEMORY"]) as memory,
        ReasoningClient.connect(endpoints["LONGITUDE_REASONING"]) as reasoning,
    ):
        await _settled(memory, stories)
        if len(stories) > 1:
            await _ask(reasoning, stories[0])
        return [await _ask(reasoning, told) for told in stories]


async def _settled(memory: MemoryClient, stories: list[Story]) -> None:
    """Until nothing new is recorded and every text can be found."""
    known = -1
    async with asyncio.timeout(180):
        while True:
            held = [await _facts(memory, told) for told in stories]
            if all(held) and sum(held) == known and not await _degraded(memory, stories[-1]):
                return
            known = sum(held)
            await asyncio.sleep(_SETTLED_S)


async def _facts(memory: MemoryClient, story: Story) -> int:
    try:
        return len((await memory.timeline(_patient(story))).facts)
    except NotThereError:
        return 0


async def _degraded(memory: MemoryClient, story: Story) -> bool:
    return bool((await memory.context(_patient(story), story.question, 500)).degraded)


async def _ask(reasoning: ReasoningClient, story: Story) -> Timing:
    timing = Timing()
    async for heard in reasoning.ask(_patient(story), story.question, deliberate=True):
        if isinstance(heard, Assessment):
            timing.end()
        elif isinstance(heard, Progress):
            timing.hear(heard)
    return timing


def _patient(story: Story) -> PatientKey:
    return PatientKey(id=story.patient_id, authority=story.authority)
