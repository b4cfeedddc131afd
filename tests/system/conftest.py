"""The story, told once to one running system; every test here looks at what it left."""

import asyncio
import json
from typing import Any

import pytest
from testkit.running import RunningStack

from tests.observe import Observer
from tests.story import Telling, exchange, tell
from tests.system.told import ADDED, PATIENT, POISONED_LETTER, QUESTION, Told


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


@pytest.fixture(scope="session")
def review(told: Told, assessment: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What `longitude review --edit --json` says, after the physician added words to the first released statement."""
    first = next(each for each in assessment["statements"] if each["released"])
    path = tmp_path_factory.mktemp("review") / "review.json"
    edited = {"statement_id": first["statement_id"], "decision": "edit", "text": f"{first['text']}{ADDED}"}
    path.write_text(json.dumps([edited]))
    return told.observer.json("review", assessment["assessment_id"], "--edit", str(path))
