"""Another patient's critical value: a concern opens before anybody asks, is on the worklist, and the repeat closes it.

Each run is a day of its own: its results are of now, so that what an earlier run closed opens again.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from client import mllp
from client.api import ReasoningClient
from client.errors import NotThereError
from client.stack import Stack
from longitude.reasoning.v1.advice_pb2 import Urgency
from longitude.reasoning.v1.concern_pb2 import Concern, ListConcernsRequest
from longitude.record.v1.fact_pb2 import PatientKey

from demo.stages import Say

PATIENT = PatientKey(id="NW-310882", authority="NORTHWEST")
ROW = "criticals/potassium"
WITHIN_SECONDS = 30.0
POLL_SECONDS = 0.1
_MOST = 1000


@dataclass(frozen=True)
class Watched:
    """What the platform saw by itself. `seconds`: from the acknowledged message to the concern."""

    opened: Concern | None = None
    on_worklist: bool = False
    closed: bool = False
    seconds: float = 0.0


async def watch(stack: Stack, reasoning: ReasoningClient, say: Say) -> Watched:
    """Send the critical value, find its concern, send the repeat, see it close. What does not come is not there."""
    now = datetime.now(UTC)
    async with mllp.connect(stack.endpoint("mllp")) as sender:
        await _send(sender, "6.8", now - timedelta(seconds=1))
        acknowledged = time.monotonic()
        opened = await _until(reasoning, is_open=True)
        seconds = time.monotonic() - acknowledged
        if opened is None:
            return Watched()
        worklist = await reasoning.concerns(ListConcernsRequest(least=Urgency.URGENCY_URGENT), _MOST)
        await _send(sender, "4.6", now)
        closed = await _until(reasoning, is_open=False) is None
    say(f"{opened.row} after {seconds:.1f} s, {'closed by the repeat' if closed else 'still open'}")
    return Watched(opened, opened in worklist.concerns, closed, seconds)


async def _until(reasoning: ReasoningClient, *, is_open: bool) -> Concern | None:
    """The open concern, once it is there, or once it is not any more."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + WITHIN_SECONDS
    while True:
        concern = await _concern(reasoning)
        if (concern is not None) is is_open or clock() > deadline:
            return concern
        await asyncio.sleep(POLL_SECONDS)


async def _concern(reasoning: ReasoningClient) -> Concern | None:
    request = ListConcernsRequest(patient=PATIENT, acted=True)
    try:
        listed = await reasoning.concerns(request, _MOST)
    except NotThereError:
        return None
    return next((each for each in listed.concerns if each.row == ROW), None)


async def _send(sender: mllp.Sender, potassium: str, at: datetime) -> None:
    async for _ in sender.send([message(potassium, at)]):
        pass


def message(potassium: str, at: datetime) -> bytes:
    """An ORU^R01 with one result, in the manner of NORTHWEST GENERAL."""
    moment = at.strftime("%Y%m%d%H%M%S+0000")
    order = f"NC{at:%Y%m%d%H%M%S}"
    segments = (
        f"MSH|^~\\&|EPIC|NORTHWEST GENERAL|LONGITUDE|HUB|{moment}||ORU^R01^ORU_R01|{order}|P|2.5.1",
        f"PID|1||{PATIENT.id}^^^{PATIENT.authority}^MR||Testperson^Otto||19510330|M",
        f"OBR|1|{order}|{order}|2823-3^Potassium^LN|||{moment}|||||||||||||||{moment}|||F",
        f"OBX|1|NM|2823-3^Potassium^LN||{potassium}|mmol/L|3.5-5.1|||||F|||{moment}",
    )
    return ("\r".join(segments) + "\r").encode()
