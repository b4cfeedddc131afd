"""The story, told once to one running system; every test here looks at what it left."""

import asyncio
import json
import os
from typing import Any

import pytest
from client.stack import Stack
from contracts.identifiers import parse_patient
from demo import ordering
from demo.ordering import Card
from testkit.running import RunningStack

from tests.observe import Observer
from tests.story import Telling, exchange, tell
from tests.system import evidence
from tests.system.after_story import ADDED, PATIENT, POISONED_LETTER, QUESTION, System

MEALS = evidence.MEALS.passage_id


@pytest.fixture(scope="session")
def system(stack: RunningStack) -> System:
    """The system after the story, with every event come to rest."""
    observer = Observer(stack)
    acknowledgements = asyncio.run(tell(stack.endpoints, Telling(0)))
    observer.at_rest()
    return System(stack, observer, acknowledgements)


@pytest.fixture(scope="session")
def assessment(system: System) -> Any:
    """What `longitude ask --json` says about the patient, after a letter came in that gives orders."""
    assert b"MSA|AA" in exchange(system.stack.endpoints, POISONED_LETTER)
    system.observer.at_rest()
    return system.observer.json("ask", PATIENT, QUESTION, "--deliberate")


@pytest.fixture(scope="session")
def review(system: System, assessment: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What `longitude review --edit --json` says, after the physician added words to the first released statement."""
    first = next(each for each in assessment["statements"] if each["released"])
    path = tmp_path_factory.mktemp("review") / "review.json"
    edited = {"statement_id": first["statement_id"], "decision": "edit", "text": f"{first['text']}{ADDED}"}
    path.write_text(json.dumps([edited]))
    return system.observer.json("review", assessment["assessment_id"], "--edit", str(path))


@pytest.fixture(scope="session")
def cards(system: System) -> list[Card]:
    """What a clinical system is told while somebody signs a drug that the patient is allergic to."""
    reached = Stack(os.environ | system.stack.endpoints, system.stack.directory)
    return asyncio.run(ordering.sign(reached, parse_patient(PATIENT), lambda _: None))


@pytest.fixture(scope="session")
def withdrawn(system: System) -> Any:
    """An answer that cites evidence which three people brought in, and which was withdrawn afterwards."""
    dsn = system.stack.endpoints["LONGITUDE_POSTGRES_MEMORY_SERVICE"]
    edition_id = asyncio.run(evidence.release(dsn))
    made = system.observer.json("ask", PATIENT, evidence.QUESTION, "--request-id", "evidence-withdrawn")
    cited = [one for each in made["statements"] for one in each["sources"] if one.get("passage_id") == MEALS]
    asyncio.run(evidence.withdraw(dsn, edition_id))
    return {"edition_id": edition_id, "passage_id": MEALS, "assessment": made, "cited": cited[:1]}
