"""Messages that nobody here wrote: each is answered, none is lost, and the counts agree.

Needs the corpora: LONGITUDE_CORPUS names their folder.
"""

import os
from pathlib import Path

import pytest

from tests.system.after_story import System

CORPUS = os.environ.get("LONGITUDE_CORPUS", "")


@pytest.mark.skipif(not CORPUS, reason="LONGITUDE_CORPUS is not set: the foreign messages are NOT sent")
def test_every_foreign_message_is_answered_and_logged_once(system: System) -> None:
    folder = Path(CORPUS).resolve() / "hl7" / "ms_fhir_converter" / "messages"
    before = system.observer.at_rest()
    counts = system.observer.json("send", str(folder))
    logged = system.observer.at_rest() - before
    answered = sum(counts[code] for code in counts.keys() & {"AA", "CA", "AE", "AR", "CE", "CR"})
    assert answered == len(list(folder.glob("*.hl7")))
    assert logged["MessageReceived"] + logged["MessageRejected"] == answered
