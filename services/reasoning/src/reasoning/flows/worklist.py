"""The concerns that a caller may see: of a patient, or the worklist.

Guarantee: a concern that rests on what is sensitive is shown only to whom, as memory says, nothing of that record is
closed; of the others it is said how many there are, and nothing else.
"""

import asyncio
import base64
import binascii
import json
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from contracts.errors import InvalidInputError, NotFoundError
from contracts.identifiers import format_patient, parse_patient
from longitude.reasoning.v1.advice_pb2 import URGENCY_ROUTINE
from longitude.reasoning.v1.concern_pb2 import Concern, ListConcernsRequest, ListConcernsResponse

from reasoning.adapters import postgres_concerns as rows
from reasoning.adapters.memory import Memory
from reasoning.adapters.postgres import Store
from reasoning.adapters.postgres_concerns import START, Place, Wanted

DEFAULT_PAGE, LARGEST_PAGE = 50, 100
# Records that memory is asked about at the same time.
_TOGETHER = 8


async def concerns(request: ListConcernsRequest, store: Store, memory: Memory) -> ListConcernsResponse:
    """A page. InvalidInputError; NotFoundError for a patient whom memory does not know, and for one concern that is not
    there or closed.
    """
    if request.concern_id:
        return ListConcernsResponse(concerns=[await one(request.concern_id, store, memory)])
    size = request.page_size or DEFAULT_PAGE
    identifiers = (await memory.view(request.patient)).identifiers if request.HasField("patient") else None
    wanted = Wanted(
        identifiers,
        request.least or URGENCY_ROUTINE,
        request.acted,
        _families(request.role),
        size + 1,
        _after(request),
        request.resolved,
    )
    async with store.connection() as conn:
        listed = await rows.page(conn, wanted)
    page = listed[:size]
    shown = await visible(page, memory)
    token = _token(page[-1]) if len(listed) > size else ""
    return ListConcernsResponse(concerns=shown, hidden=len(page) - len(shown), next_page_token=token)


async def one(concern_id: str, store: Store, memory: Memory) -> Concern:
    """NotFoundError also where it is closed to who calls."""
    async with store.connection() as conn:
        concern = await rows.get(conn, concern_id)
    if concern is None or not await visible([concern], memory):
        raise NotFoundError("no such concern")
    return concern


async def visible(concerns: Sequence[Concern], memory: Memory) -> list[Concern]:
    """Those that are open to who calls; memory is asked on their behalf about those that rest on what is sensitive."""
    asked = sorted({format_patient(each.patient) for each in concerns if each.sensitive})
    turns = asyncio.Semaphore(_TOGETHER)

    async def is_open(patient: str) -> bool:
        async with turns:
            try:
                return not (await memory.view(parse_patient(patient))).left_out
            except NotFoundError:
                return False

    answers = await asyncio.gather(*map(is_open, asked))
    opened = {patient for patient, answer in zip(asked, answers, strict=True) if answer}
    return [each for each in concerns if not each.sensitive or format_patient(each.patient) in opened]


@cache
def _worklists() -> dict[str, list[str]]:
    return dict(tomllib.loads(files("reasoning").joinpath("worklists.toml").read_text("utf-8")))


def _families(role: str) -> Sequence[str] | None:
    if not role:
        return None
    if role not in _worklists():
        raise InvalidInputError(f"there is a worklist of {', '.join(_worklists())}")
    return _worklists()[role] or None


def _token(last: Concern) -> str:
    """Of the page behind a concern."""
    place = [last.urgency, last.opened_at.ToDatetime(tzinfo=UTC).isoformat(), last.concern_id]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _after(request: ListConcernsRequest) -> Place:
    if not request.page_token:
        return START
    try:
        urgency, opened_at, concern_id = json.loads(base64.urlsafe_b64decode(request.page_token))
        return Place(int(urgency), datetime.fromisoformat(opened_at), str(concern_id))
    except (binascii.Error, TypeError, ValueError) as error:
        raise InvalidInputError("page_token is not one of this service") from error
