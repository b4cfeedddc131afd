"""Finds what stands of a patient about some things, page by page. All pages are one state of the record.

The newest entry of each course is read to choose the things, and then the courses of those, at most LARGEST entries.
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from contracts.errors import InvalidInputError
from grounding import Sources
from longitude.record.v1.context_pb2 import RecordedFact

from memory import views
from memory.adapters.postgres import Store
from memory.adapters.postgres.entries import PAGE_BYTES
from memory.domain.finding import Wanted, about, entries, things
from memory.domain.identity import Identifier

# Entries of things that are looked at: of more, the newest and the oldest of each.
LARGEST = 10_000


async def page(
    store: Store, identifier: Identifier, wanted: Wanted, known_at: datetime | None, size: int, token: str
) -> tuple[list[RecordedFact], str]:
    """The facts and the token of the page behind them; InvalidInputError for a token that is none."""
    as_of, begin = _parsed(token) if token else (known_at or await store.last_change(identifier), 0)
    heads = await store.standing(identifier, as_of, None)
    sources = Sources.of(as_of, heads.facts, identifiers=views.identifiers(heads.person))
    asked = await asyncio.to_thread(things, wanted, [each.fact for each in heads.facts], sources)
    courses = {course for thing in asked for course in thing}
    here = [each for each in heads.facts if about(each.fact) in courses]
    found = entries(wanted, asked, [*here, *await store.of_courses(heads, courses, LARGEST)])
    shown = _within(found[begin : begin + size])
    end = begin + len(shown)
    return shown, _token(as_of, end) if end < len(found) else ""


def _within(facts: Sequence[RecordedFact]) -> list[RecordedFact]:
    """As many as a page holds, and at least one."""
    left = PAGE_BYTES
    shown: list[RecordedFact] = []
    for each in facts:
        left -= each.ByteSize()
        if shown and left < 0:
            break
        shown.append(each)
    return shown


def _token(as_of: datetime, begin: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([as_of.isoformat(), begin]).encode()).decode()


def _parsed(token: str) -> tuple[datetime, int]:
    try:
        as_of, begin = json.loads(base64.urlsafe_b64decode(token))
        moment = datetime.fromisoformat(as_of).astimezone(UTC)
    except (binascii.Error, TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError("page_token is not one of this service") from error
    if not isinstance(begin, int) or begin < 0:
        raise InvalidInputError("page_token is not one of this service")
    return moment, begin
