"""What of a record is closed to who calls: decided once for each read, and held against every entry that it reads.

This is the one place. A caller for whom nothing was decided sees nothing sensitive; work that answers no call sees all.
Each transaction states to the database whose record it reads and what of it is closed; the policies of the tables
(0011_row_security.sql) show nothing else, whatever a query forgets, and are an error where nothing is stated.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from psycopg import AsyncConnection, AsyncCursor
from servicekit.migrations import MigrationError
from servicekit.principal import known_caller

from memory.domain import opening, sensitive
from memory.domain.opening import Opened
from memory.domain.timeline import Entry

_DECIDE = """SELECT (
    SELECT jsonb_agg(jsonb_build_array(opening_id, purpose, labels, extract(epoch FROM ends_at), reason))
    FROM opening WHERE issuer = %(issuer)s AND subject = %(subject)s AND ends_at > clock_timestamp()
    AND identifier_no = ANY(%(numbers)s)
    AND NOT EXISTS (SELECT FROM opening_step s WHERE s.opening_id = opening.opening_id AND step = 'ended')
), (
    SELECT jsonb_agg(jsonb_build_array(labels, many)) FROM (
        SELECT labels, count(*) AS many FROM entry
        WHERE identifier_no = ANY(%(numbers)s) AND stands AND labels IS DISTINCT FROM 0 GROUP BY labels) AS sensitive
)"""
_CLOSED = """SELECT fact_id FROM entry WHERE identifier_no = ANY(%(numbers)s) AND fact_id = ANY(%(facts)s)
    AND coalesce(labels, -1) & %(closed)s <> 0"""
_STATE = "SELECT set_config('memory.numbers', %s::bigint[]::text, true), set_config('memory.closed', %s::text, true)"
_CLOSE = "SELECT set_config('memory.closed', %s::text, true)"
# Statements, entries and contradictions are an error where nothing is stated: work states nobody, or whom it has.
_WORK = """SELECT set_config('memory.work', %s, true),
    set_config('memory.numbers', coalesce(nullif(current_setting('memory.numbers', true), ''), '{}'), true),
    set_config('memory.closed', coalesce(nullif(current_setting('memory.closed', true), ''), '0'), true)"""
_END_WORK = """SELECT set_config('memory.work', '', true),
    set_config('memory.numbers', replace(current_setting('memory.numbers'), '{}', ''), true)"""
_GUARDED = """SELECT name FROM unnest(ARRAY['fact', 'entry', 'contradiction', 'note_text']) AS name
    WHERE NOT row_security_active(name)"""
# Beside every other condition of a query over entries.
OPEN = "coalesce(labels, -1) & %(closed)s = 0 AND "


@dataclass(frozen=True, slots=True)
class View:
    """`closed`: bits of labels. `left_out`: how much of what stands now is closed. `openings` of the caller."""

    closed: int = 0
    left_out: int = 0
    openings: tuple[Opened, ...] = ()


_VIEW: ContextVar[View | None] = ContextVar("view", default=None)


def closed() -> int:
    """The bits that are closed to the read that goes on."""
    if known_caller() is None:
        return 0
    view = _VIEW.get()
    return sensitive.ALL if view is None else view.closed


def current() -> View:
    """The view of the read that was made last in this call."""
    return _VIEW.get() or View()


async def check_guarded(conn: AsyncConnection[Any]) -> None:
    """MigrationError where the policies do not hold this role: it owns the tables, or reads past them."""
    if unguarded := [name for (name,) in await (await conn.execute(_GUARDED)).fetchall()]:
        raise MigrationError(
            f"row-level security does not hold this role in {', '.join(unguarded)}: LONGITUDE_POSTGRES must name "
            "memory_service, which neither owns tables nor is a superuser nor has BYPASSRLS"
        )


async def state(conn: AsyncConnection[Any], numbers: Collection[int], bits: int) -> None:
    """Until the caller's transaction ends it reads and writes of these identifiers alone what `bits` do not close."""
    await conn.execute(_STATE, (list(numbers), bits))


@asynccontextmanager
async def whole(conn: AsyncConnection[Any]) -> AsyncIterator[None]:
    """While inside, nothing is closed of the record that the transaction has stated: for what is derived from all of
    it, and is shown through `opened`, or shows nothing of it. An error ends the transaction.
    """
    if bits := closed():
        await conn.execute(_CLOSE, (0,))
    yield
    if bits:
        await conn.execute(_CLOSE, (bits,))


@asynccontextmanager
async def working(conn: AsyncConnection[Any], kind: Literal["rebuild", "index"]) -> AsyncIterator[None]:
    """While inside, the transaction reads everybody's statements and entries (`rebuild`) or texts (`index`). An error
    ends the transaction. PermissionError where it answers a call.
    """
    if known_caller() is not None:
        raise PermissionError("no call opens everybody's record")
    await conn.execute(_WORK, (kind,))
    yield
    await conn.execute(_END_WORK)


async def ask(conn: AsyncConnection[Any], numbers: Collection[int]) -> AsyncCursor[Any] | None:
    """Send the question that `decide` reads the answer of; None where nobody calls."""
    _VIEW.set(None)
    caller = known_caller()
    if caller is None:
        return None
    person = caller.person
    asked = {"issuer": person.issuer if person else "", "subject": person.subject if person else ""}
    return await conn.execute(_DECIDE, {**asked, "numbers": list(numbers)})


async def decide(answer: AsyncCursor[Any] | None) -> View:
    """What is closed of this person's record to who calls."""
    caller = known_caller()
    if answer is None or caller is None:
        return View()
    row = await answer.fetchone()
    assert row is not None
    openings = tuple(_opened(*each) for each in row[0] or ())
    person = caller.person
    bits = opening.closed(person.roles, openings) if person else opening.closed_to_process(caller.process)
    left_out = sum(many for labels, many in row[1] or () if labels is None or labels & bits)
    view = View(bits, left_out, openings)
    _VIEW.set(view)
    return view


async def closed_among(conn: AsyncConnection[Any], numbers: Collection[int], facts: Collection[str]) -> set[str]:
    """Those of the facts that are closed."""
    asked = {"numbers": list(numbers), "facts": list(facts), "closed": closed()}
    return {fact_id for (fact_id,) in await (await conn.execute(_CLOSED, asked)).fetchall()}


def opened(entries: Iterable[Entry]) -> list[Entry]:
    """Of entries that were replayed, those that are open."""
    bits = closed()
    return [entry for entry in entries if not bits or not sensitive.labels(entry.fact) & bits]


def _opened(opening_id: str, purpose: str, labels: int, ends: float, reason: str) -> Opened:
    return Opened(opening_id, purpose, labels, datetime.fromtimestamp(float(ends), UTC), reason)
