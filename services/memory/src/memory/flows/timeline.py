"""Reads a timeline page by page. However large a record is, a page is bounded, and all pages are one state of it.

The first page says as of when it was read. A later one is read from the same entries when nothing was recorded for the
person since, and is replayed as of that moment otherwise: a statement that moves between two pages is never missed.
"""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consult import times
from contracts.errors import InvalidInputError
from longitude.record.v1.context_pb2 import RecordedFact

from memory.adapters.postgres import Person, Store, entries, past
from memory.adapters.postgres.entries import END, PAGE_BYTES, START, Place
from memory.domain.identity import Identifier
from memory.domain.timeline import Entry, holding, standing

DEFAULT_PAGE = 1_000
LARGEST_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a timeline is wanted. `valid_at` None: all times. `known_at` None: what is known now."""

    valid_at: datetime | None = None
    known_at: datetime | None = None
    kinds: Sequence[int] = ()
    superseded: bool = False
    newest_first: bool = False
    size: int = DEFAULT_PAGE
    token: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """`as_of`: the state that all pages are of. `next`: the token of the page after this one; empty at the end.
    `first`: nothing came before.
    """

    person: Person
    facts: list[RecordedFact]
    as_of: datetime
    next: str
    first: bool


async def page(store: Store, identifier: Identifier, asked: Asked) -> Page:
    """InvalidInputError for a token that is none, NotFoundError for an unknown patient."""
    start = END if asked.newest_first else START
    as_of, after = _parsed(asked.token) if asked.token else (asked.known_at, start)
    if asked.valid_at is None:
        async with store.reading(identifier, asked.known_at) as (conn, person):
            changed = person.changed_at
            then = changed if as_of is None else min(changed, as_of)
            otherwise = None
            if then < changed:
                otherwise = await past.since(conn, person.identifiers, person.numbers, then)
            if then == changed or otherwise is not None:
                facts, last = await entries.page(
                    conn,
                    person.numbers,
                    after,
                    asked.size,
                    kinds=asked.kinds,
                    superseded=asked.superseded,
                    newest_first=asked.newest_first,
                    past=otherwise,
                )
                return Page(person, facts, then, token(then, last), not asked.token)
    return await _replayed(store, identifier, asked, as_of, after)


async def _replayed(store: Store, identifier: Identifier, asked: Asked, as_of: datetime | None, after: Place) -> Page:
    if as_of is None:
        as_of = await store.last_change(identifier)
    person, everything = await store.replayed(identifier, as_of)
    left = _left(_wanted(everything, asked), after, newest_first=asked.newest_first)
    facts: list[RecordedFact] = []
    size = 0
    for entry in left[: asked.size]:
        fact = entry.recorded()
        size += fact.ByteSize()
        if facts and size > PAGE_BYTES:
            break
        facts.append(fact)
    last = entries.place(left[len(facts) - 1]) if len(facts) < len(left) else None
    return Page(person, facts, as_of, token(as_of, last), not asked.token)


def _left(wanted: list[Entry], after: Place, *, newest_first: bool) -> list[Entry]:
    if newest_first:
        return wanted[: bisect_left(wanted, after, key=entries.place)][::-1]
    return wanted[bisect_right(wanted, after, key=entries.place) :]


def _wanted(everything: list[Entry], asked: Asked) -> list[Entry]:
    """Of these kinds; what became of them may be the work of any kind."""
    return [entry for entry in _at(everything, asked) if not asked.kinds or entry.fact.kind in asked.kinds]


def _at(everything: list[Entry], asked: Asked) -> list[Entry]:
    if asked.valid_at is None:
        return everything if asked.superseded else standing(everything)
    if not asked.superseded:
        return holding(everything, asked.valid_at)
    return [entry for entry in everything if times.contains(*times.interval(entry.fact), asked.valid_at)]


def token(as_of: datetime, last: Place | None) -> str:
    """The token of the page behind a place; empty where that is the end."""
    if last is None:
        return ""
    told = [as_of.isoformat(), last.starts.isoformat(), last.recorded_at.isoformat(), last.fact_id]
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def _parsed(token: str) -> tuple[datetime, Place]:
    try:
        as_of, starts, recorded_at, fact_id = json.loads(base64.urlsafe_b64decode(token))
        moments = [datetime.fromisoformat(each) for each in (as_of, starts, recorded_at)]
    except (binascii.Error, TypeError, ValueError) as error:
        raise InvalidInputError("page_token is not one of this service") from error
    if not isinstance(fact_id, str) or any(moment.tzinfo is None for moment in moments):
        raise InvalidInputError("page_token is not one of this service")
    return moments[0], Place(moments[1], moments[2], fact_id)
