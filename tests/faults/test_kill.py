"""Kill -9 in the middle of the story: same timeline, same audit counts, nothing lost, nothing doubled.

Each telling of the story has patients of its own, so one stack serves all of them, and what one telling leaves is
compared with what an undisturbed one left.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from manifests import read_services
from native_stack.catalogue import BACKENDS
from testkit.running import RunningStack

from tests.observe import Facts, Observer
from tests.story import FILES, MESSAGES, Telling, tell

_numbers = count(1)
SERVICES = tuple(read_services())
# Where in the story each part is at work: imaging while the scanned page and the film are read.
SHORT = {"imaging": 0.58}
LONG = (0.1, 0.35, 0.58, 0.8, 0.96)


@dataclass(frozen=True, slots=True)
class Left:
    """What a telling left behind."""

    facts: Facts
    leaves: Counter[str]
    concerns: set[tuple[Any, ...]]


def told(stack: RunningStack, victim: str = "", at: float = 0.0) -> Left:
    """Tell the story; kill the victim at that share of it, start it again three files later."""
    observer, telling = Observer(stack), Telling(next(_numbers))
    before = observer.at_rest()
    place = int(at * len(FILES))

    async def disturb(number: int) -> None:
        if victim and number == place:
            await asyncio.to_thread(stack.kill, victim)
            restarts.append(asyncio.create_task(later()))

    async def later() -> None:
        await asyncio.sleep(1.0)
        await asyncio.to_thread(stack.start, victim)

    async def run() -> list[bytes]:
        acknowledgements = await tell(stack.endpoints, telling, disturb)
        await asyncio.gather(*restarts)
        return acknowledgements

    restarts: list[asyncio.Task[None]] = []
    acknowledgements = asyncio.run(run())
    assert len(acknowledgements) == len(MESSAGES)
    assert all(b"MSA" in a and b"AA" in a for a in acknowledgements), "a message was not acknowledged"
    leaves = observer.at_rest() - before
    return Left(observer.facts(telling.northwest), leaves, observer.concerns(telling.northwest))


@pytest.fixture(scope="module")
def undisturbed(stack: RunningStack) -> Left:
    left = told(stack)
    assert left.leaves["MessageReceived"] == len(MESSAGES)
    assert left.concerns
    return left


def cases(config: pytest.Config) -> list[tuple[str, float]]:
    if config.getoption("--faults") == "long":
        # The issuer is the session's, which other stacks trust too.
        servers = [server for server in BACKENDS if server != "issuer"]
        return [(victim, at) for victim in (*SERVICES, *servers) for at in LONG]
    return [(victim, SHORT.get(victim, 0.4)) for victim in SERVICES]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "victim" in metafunc.fixturenames:
        metafunc.parametrize(("victim", "at"), cases(metafunc.config))


def test_a_service_killed_in_the_middle_changes_nothing_in_the_end(
    mended_stack: RunningStack, undisturbed: Left, victim: str, at: float
) -> None:
    left = told(mended_stack, victim, at)
    assert left.facts == undisturbed.facts
    assert left.leaves == undisturbed.leaves
    assert left.concerns == undisturbed.concerns
