"""What every system test looks at."""

from dataclasses import dataclass

from testkit.running import RunningStack

from tests.observe import Observer

QUESTION = "What has changed, and does the medication still fit?"
PATIENT = "NW-204417@NORTHWEST"


@dataclass(frozen=True, slots=True)
class Told:
    """The running system after the story."""

    stack: RunningStack
    observer: Observer
    acknowledgements: list[bytes]
