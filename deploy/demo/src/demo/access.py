"""Who may look at a record: four people, one after another, at a patient with a diagnosis that is closed to most.

A researcher is refused. A nurse sees what is open, then opens the rest with a reason. A physician breaks the glass;
when that has ended, an auditor reviews it. Each signs in at the stack's issuer, as `longitude login --as` does.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from client import mllp, people
from client.api import AuditingClient, MemoryClient
from client.errors import RefusedError
from client.forms import Form
from client.login import Provider
from client.stack import Stack
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.record.v1.fact_pb2 import PatientKey

from demo import proving
from demo.stages import Say
from demo.waiting import NotSettledError, read_record

PATIENT = PatientKey(id="NW-310022", authority="NORTHWEST")
# An admission with a diagnosis that every role may see and one that is sensitive (mental health).
MESSAGE = (
    "MSH|^~\\&|EPIC|NORTHWEST GENERAL|LONGITUDE|HUB|20261006101500-0500||ADT^A01^ADT_A01|NW31|P|2.5.1\r"
    "PID|1||NW-310022^^^NORTHWEST^MR||Testperson^Alex||19800214|F\r"
    "PV1|1|I|WARD3\r"
    "DG1|1||E11.9^Type 2 diabetes mellitus without complications^I10C||20261006101500-0500|A\r"
    "DG1|2||F32.1^Major depressive disorder, single episode, moderate^I10C||20261006101500-0500|A\r"
)
PASSWORD = "LONGITUDE_LOGIN_PASSWORD"  # noqa: S105 - the name of a variable
REASON = "On the ward round: mood and medication before discharge"
EMERGENCY = "Found unconscious, no relatives to be reached"
COMMENT = "Seen with the ward's notes: an emergency"
# Looks of the four: one, three and two; the auditor looks at no record.
LOOKS = 6
POLLS, POLL_SECONDS = 200, 0.3


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in."""

    name: str
    role: str
    memory: MemoryClient


@dataclass(frozen=True)
class View:
    """What one look showed: facts by id, with their words, and how many it counted and did not show."""

    shown: dict[str, str]
    left_out: int
    banner: str


@dataclass(frozen=True)
class Access:
    """What the four asked, and what they were answered; `refused` and `own_review` are the words of refusals."""

    # By role.
    names: dict[str, str]
    refused: str
    closed: View
    widened: View
    opening: pb.Opening
    broken: View
    own_review: str
    # The break-glass opening, after its review.
    reviewed: pb.Opening
    # As the log has them, each proven, the first first.
    looks: Sequence[Form]

    @property
    def opened(self) -> list[str]:
        """What the reason brought to light."""
        return [words for fact_id, words in self.widened.shown.items() if fact_id not in self.closed.shown]


async def look(stack: Stack, auditing: AuditingClient, say: Say) -> Access | None:
    """All of it; None at a stack whose issuer has no demo people. ClientError, NotSettledError."""
    if PASSWORD not in stack.variables:
        say("no demo people can sign in here")
        return None
    async with MemoryClient.connect(stack.endpoint("memory")) as memory:
        await _told(stack, memory)
    began = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            _signed_in(stack, "researcher", folder) as researcher,
            _signed_in(stack, "nurse", folder) as nurse,
            _signed_in(stack, "physician", folder) as physician,
            _signed_in(stack, "auditor", folder) as auditor,
        ):
            refused = await _refused(researcher)
            closed, opening, widened = await _widened(nurse)
            broken, glass = await _broken(physician)
            own_review = await _refusal(physician, glass)
            await auditor.memory.review_opening(glass.opening_id, justified=True, comment=COMMENT)
            reviewed = next(one for one in await auditor.memory.openings() if one.opening_id == glass.opening_id)
            names = {each.role: each.name for each in (researcher, nurse, physician, auditor)}
    looks = await proving.looks(stack, auditing, PATIENT, began, LOOKS)
    say(f"{len(looks)} looks, each proven to be in the log")
    return Access(names, refused, closed, widened, opening, broken, own_review, reviewed, looks)


async def _told(stack: Stack, memory: MemoryClient) -> None:
    """The patient is in the record."""
    async with mllp.connect(stack.endpoint("mllp")) as sender:
        async for _answer in sender.send([MESSAGE.encode()]):
            pass
    for _poll in range(POLLS):
        if await read_record(memory, PATIENT) is not None:
            return
        await asyncio.sleep(POLL_SECONDS)
    raise NotSettledError(f"{PATIENT.id} was not in the record within {POLLS * POLL_SECONDS:.0f} s")


@asynccontextmanager
async def _signed_in(stack: Stack, person: str, folder: str) -> AsyncIterator[Session]:
    variables = {**stack.variables, "LONGITUDE_TOKEN_FILE": str(Path(folder) / f"{person}.json")}
    provider = Provider(variables, person)
    tokens = await asyncio.to_thread(provider.by_browser, _unseen)
    people.keep(variables, tokens, provider.issuer, provider.client_id, provider.key)
    who = people.claims(people.bearer(variables))
    async with MemoryClient.connect(stack.endpoint("memory"), variables) as memory:
        yield Session(who["name"], who["roles"][0], memory)


def _unseen(_address: str) -> None:
    """No page is opened: the stack's own password answers it."""


async def _refused(researcher: Session) -> str:
    try:
        await researcher.memory.timeline(PATIENT)
    except RefusedError as error:
        return str(error)
    return ""


async def _widened(nurse: Session) -> tuple[View, pb.Opening, View]:
    """Before the opening, and under it; it ends with the look."""
    closed = await _view(nurse)
    opening = await nurse.memory.open_record(
        pb.OpenRecordRequest(patient=PATIENT, purpose="TREAT", categories=["MH"], reason=REASON)
    )
    try:
        return closed, opening, await _view(nurse)
    finally:
        await nurse.memory.end_opening(opening.opening_id)


async def _broken(physician: Session) -> tuple[View, pb.Opening]:
    glass = await physician.memory.open_record(pb.OpenRecordRequest(patient=PATIENT, purpose="BTG", reason=EMERGENCY))
    try:
        return await _view(physician), glass
    finally:
        await physician.memory.end_opening(glass.opening_id)


async def _refusal(physician: Session, glass: pb.Opening) -> str:
    """Why who broke the glass does not review it; empty where they may."""
    try:
        await physician.memory.review_opening(glass.opening_id, justified=True, comment=COMMENT)
    except RefusedError as error:
        return str(error)
    return ""


async def _view(session: Session) -> View:
    whole = await session.memory.timeline(PATIENT)
    shown = {each.fact.fact_id: each.fact.code.display or each.fact.code.code for each in whole.facts}
    return View(shown, whole.view.left_out, whole.view.banner)
