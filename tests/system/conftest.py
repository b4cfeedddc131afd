"""The story, told once to one running system; every test here looks at what it left."""

import asyncio
from typing import Any

import pytest
from testkit.running import RunningStack

from tests.observe import Observer
from tests.story import Telling, exchange, tell
from tests.system.told import PATIENT, POISONED_LETTER, QUESTION, Told


@pytest.fixture(scope="session")
def told(stack: RunningStack) -> Told:
    """The story told, and every event come to rest."""
    observer = Observer(stack)
    acknowledgements = asyncio.run(tell(stack.endpoints, Telling(0)))
    observer.at_rest()
    return Told(stack, observer, acknowledgements)


@pytest.fixture(scope="session")
def assessment(told: Told) -> Any:
    """What `longitude ask --json` says about the patient, after a letter came in that gives orders."""
    assert b"MSA|AA" in exchange(told.stack.endpoints, POISONED_LETTER)
    told.observer.at_rest()
    return told.observer.json("ask", PATIENT, QUESTION)
