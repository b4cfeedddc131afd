"""Something that a service needs is gone: a clear error in bounded time, and the next attempt works."""

import asyncio
import time
from pathlib import Path

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
    mended_stack: RunningStack, known: Observer, gone: str, tmp_path: Path
) -> None:
    patient = f"{PATIENT.northwest.id}@{PATIENT.northwest.authority}"
    mended_stack.kill(gone)
    began = time.monotonic()
    asking = ("ask", patient, "How are the kidneys?")
    failed = known.command(*asking, "--deliberate")
    assert failed.returncode != 0
    assert time.monotonic() - began < 90
    assert gone in (failed.stdout + failed.stderr).lower()
    assert "Traceback" not in failed.stderr
    # Rules and a check need the record and no model.
    assert (known.command(*asking).returncode == 0) == (gone == "triton")
    letter = tmp_path / "letter.txt"
    letter.write_text("eGFR was 28 mL/min/1.73 m2 on 2026-10-05.")
    checked = known.command("check", str(letter), "--patient", patient)
    assert checked.returncode == (0 if gone == "triton" else 1)
    assert (gone == "memory") == ("the patient memory does not answer" in checked.stderr)
    mended_stack.start(gone)
    until(lambda: known.command(*asking, "--deliberate").returncode == 0, "asked again", within_s=180)
