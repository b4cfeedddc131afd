"""Something that a service needs is gone: a clear error in bounded time, and the next attempt works."""

import asyncio
import time

import pytest
from testkit.running import RunningStack

from tests.observe import Observer, until
from tests.story import Telling, tell

PATIENT = Telling(80)


@pytest.fixture(scope="module")
def known(stack: RunningStack) -> Observer:
    observer = Observer(stack)
    asyncio.run(tell(stack.endpoints, PATIENT))
    observer.at_rest()
    return observer


@pytest.mark.parametrize("gone", ["triton", "memory"])
def test_a_question_without_what_it_needs_is_a_clear_error_and_can_be_asked_again(
    mended_stack: RunningStack, known: Observer, gone: str
) -> None:
    patient = f"{PATIENT.northwest.id}@{PATIENT.northwest.authority}"
    mended_stack.kill(gone)
    began = time.monotonic()
    failed = known.command("ask", patient, "How are the kidneys?")
    assert failed.returncode != 0
    assert time.monotonic() - began < 90
    assert gone in (failed.stdout + failed.stderr).lower()
    assert "Traceback" not in failed.stderr
    mended_stack.start(gone)
    until(lambda: known.command("ask", patient, "How are the kidneys?").returncode == 0, "asked again", within_s=180)
