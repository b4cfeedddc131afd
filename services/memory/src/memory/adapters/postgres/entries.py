"""The timeline as it stands: what became of each statement, kept beside the statements so that a read is one query.

A projection of domain/timeline.py. `project` makes the entries of the clusters again that new facts belong to, in their
transaction; `rebuild` makes all of them again from the facts, and a start does so when the rules have changed.
"""

import asyncio
import hashlib
import inspect
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Container, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, groupby
from typing import Any, NamedTuple

from consult import times
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import FACT_KIND_DOCUMENT, ClinicalFact, Identity
from psycopg import AsyncConnection
from terminology import sensitivity

from memory.adapters.postgres import facts, identity, views
from memory.adapters.postgres.clusters import Clusters
from memory.adapters.postgres.facts import Row
from memory.adapters.postgres.past import Past
from memory.domain import timeline
from memory.domain.courses import MOST, Course, concept_of, cut, depth, is_named
from memory.domain.identity import Identifier
from memory.domain.sensitive import labels
from memory.domain.timeline import Chain, Entry, StatedFact, clusters, lives, resumed

# Of the entries that one page of a timeline holds, whatever number was asked for; the first is always given.
PAGE_BYTES = 4 * 1024 * 1024
# Of what a context pack is made from: a fact, and all facts together. A book is read through the pages of a timeline,
# and the pack itself stays below what one answer can carry.
LARGEST_SERVED = 256 * 1024
SERVED_BYTES = 6 * 1024 * 1024

# Clusters that are gone through at once: some milliseconds.
_TURN = 16

# Each by an index of its own.
_FORGET_OPEN = "DELETE FROM entry WHERE cluster_no = ANY(%b::bigint[]) AND chain IS NOT NULL"
_FORGET_CLOSED = "DELETE FROM entry WHERE cluster_no = ANY(%b::bigint[]) AND chain IS NULL"
_REPLACE = """DELETE FROM entry USING unnest(%b::bigint[], %b::timestamptz[], %b::timestamptz[], %b::text[])
    AS gone(identifier_no, starts, recorded_at, fact_id)
    WHERE entry.identifier_no = gone.identifier_no AND entry.starts = gone.starts
    AND entry.recorded_at = gone.recorded_at AND entry.fact_id = gone.fact_id"""
# PostgreSQL copies into no table that has policies.
_ADD = """INSERT INTO entry (identifier_no, starts, recorded_at, fact_id, cluster_no, kind, concept, since, stands,
    view, labels, chain, chain_identity, position, first_stated)
    SELECT unnest(%b::bigint[]), unnest(%b::timestamptz[]), unnest(%b::timestamptz[]), unnest(%b::text[]),
        unnest(%b::bigint[]), unnest(%b::smallint[]), unnest(%b::text[]), unnest(%b::timestamptz[]),
        unnest(%b::boolean[]), unnest(%b::bytea[]), unnest(%b::integer[]), unnest(%b::text[]), unnest(%b::bytea[]),
        unnest(%b::smallint[]), unnest(%b::timestamptz[])"""
# The fence (OFFSET 0) has each fact looked up by its id, whatever the planner expects of a table that grows fast.
_OPEN = """SELECT e.cluster_no, e.view, e.since, e.first_stated, e.recorded_at, e.chain_identity,
    f.payload, f.stated_at, f.received_at, f.ordinal, f.recorded_at
    FROM entry e CROSS JOIN LATERAL (SELECT * FROM fact WHERE fact_id = e.chain OFFSET 0) f
    WHERE e.cluster_no = ANY(%b::bigint[]) AND e.chain IS NOT NULL ORDER BY e.cluster_no, e.chain, e.position"""
_OF = """SELECT view FROM entry WHERE identifier_no = ANY(%s) AND kind = ANY(%s::smallint[]) AND stands"""
_STANDING = """SELECT starts, recorded_at, fact_id, view FROM entry WHERE identifier_no = ANY(%(numbers)s) AND stands
    AND octet_length(view) <= %(largest)s"""
_COURSES = """SELECT kind, concept, count(*), max(since) FROM entry WHERE identifier_no = ANY(%(numbers)s) AND stands
    GROUP BY kind, concept"""
# Of each course, and of each identifier in it, the newest and the oldest.
_OF_COURSES = """SELECT course.kind, course.concept, e.since, e.fact_id, e.starts, e.recorded_at, e.view
    FROM unnest(%(kinds)s::smallint[], %(concepts)s::text[]) AS course(kind, concept)
    CROSS JOIN unnest(%(numbers)s::bigint[]) AS number CROSS JOIN LATERAL (
        (SELECT * FROM entry WHERE identifier_no = number AND kind = course.kind AND concept = course.concept AND stands
            AND octet_length(view) <= %(largest)s ORDER BY since DESC, fact_id DESC LIMIT %(deep)s)
        UNION ALL
        (SELECT * FROM entry WHERE identifier_no = number AND kind = course.kind AND concept = course.concept AND stands
            AND octet_length(view) <= %(largest)s ORDER BY since, fact_id LIMIT 1)
    ) AS e"""
_NAMED = """SELECT view FROM entry WHERE identifier_no = ANY(%(numbers)s) AND stands
    AND octet_length(view) <= %(largest)s AND (fact_id = ANY(%(facts)s) OR kind = ANY(%(kinds)s::smallint[]))"""
_ONE = "SELECT view FROM entry WHERE identifier_no = ANY(%(numbers)s) AND fact_id = %(fact)s AND stands"
_STANDING_IDS = (
    "SELECT fact_id FROM entry WHERE identifier_no = ANY(%(numbers)s) AND fact_id = ANY(%(facts)s) AND stands"
)
# What is closed does not stand for who asks: a text of it is not shown for want of its fact.
_DOCUMENTS = """SELECT view, stands AND coalesce(labels, -1) & %(closed)s = 0 FROM entry
    WHERE identifier_no = ANY(%(numbers)s) AND kind = %(kind)s AND recorded_at <= %(known_at)s"""
# Each identifier is read in its own order, as far as a page can need it.
_PAGE = """
SELECT starts, recorded_at, fact_id, view, many FROM (
    SELECT *, count(*) OVER () AS many,
        sum(octet_length(view)) OVER (ORDER BY starts, recorded_at, fact_id) - octet_length(view) AS before
    FROM (
        SELECT one.* FROM unnest(%(numbers)s::bigint[]) AS number CROSS JOIN LATERAL (
            SELECT starts, recorded_at, fact_id, view FROM entry
            WHERE identifier_no = number AND (starts, recorded_at, fact_id) > (%(starts)s, %(recorded_at)s, %(fact_id)s)
            AND (stands OR %(superseded)s) AND (%(kinds)s::smallint[] = '{}' OR kind = ANY(%(kinds)s))
            ORDER BY starts, recorded_at, fact_id LIMIT %(limit)s
        ) AS one ORDER BY starts, recorded_at, fact_id LIMIT %(limit)s
    ) AS nearest
) AS page WHERE before < %(bytes)s ORDER BY starts, recorded_at, fact_id"""
_PAGE_BACK = _PAGE.replace("fact_id) > (", "fact_id) < (").replace(
    "ORDER BY starts, recorded_at, fact_id", "ORDER BY starts DESC, recorded_at DESC, fact_id DESC"
)
# What stood at a past moment as it stands now, beside that condition.
_UNCHANGED = """recorded_at <= %(known_at)s AND (cluster_no IS NULL OR cluster_no <> ALL(%(changed)s::bigint[])) AND """
_UNLABELLED = "SELECT identifier_no, starts, recorded_at, fact_id, view FROM entry WHERE labels IS NULL LIMIT %s"
_LABEL = """UPDATE entry SET labels = known.labels
    FROM unnest(%b::bigint[], %b::timestamptz[], %b::timestamptz[], %b::text[], %b::int[])
    AS known(identifier_no, starts, recorded_at, fact_id, labels)
    WHERE entry.identifier_no = known.identifier_no AND entry.starts = known.starts
    AND entry.recorded_at = known.recorded_at AND entry.fact_id = known.fact_id"""
_LABELLED_AT_ONCE = 1_000
_RULES = "SELECT rules FROM entry_rules"


Numbers = Mapping[Identifier, int]
# Rows of entries by kind and concept.
_Rows = defaultdict[tuple[int, str], set[tuple[Any, ...]]]


class Place(NamedTuple):
    """Where an entry stands in the order of reading."""

    starts: datetime
    recorded_at: datetime
    fact_id: str


START = Place(times.EARLIEST, times.EARLIEST, "")
END = Place(times.LATEST, times.LATEST, "")


async def project(conn: AsyncConnection[Any], new: Sequence[Row], known: Clusters, numbers: Numbers) -> None:
    """Make the entries again that new facts or links may have changed. The caller has the persons' locks."""
    fresh: dict[int, list[Row]] = defaultdict(list)
    made: list[tuple[Any, ...]] = []
    for row in new:
        number = known.number.get(row.statement.fact.fact_id)
        if number is None:
            made += _rows(numbers, None, lives([row.statement]))
        else:
            fresh[known.meeting.get(number, number)].append(row)
    joining = {number: rows for number, rows in fresh.items() if number in known.before and number not in known.remade}
    later = {number: rows for number, rows in joining.items() if _goes_on(rows, known, number)}
    again = {number: known.before[number].numbers for number in joining if number not in later} | dict(known.remade)
    async for number, rows in _in_turns(fresh):
        if number not in known.before:
            made += _rows(numbers, number, lives([row.statement for row in rows]))
    for number, statements in (await _statements(conn, again)).items():
        made += _rows(numbers, number, lives(statements))
    changed, gone = await _went_on(conn, later, known, numbers)
    if again:
        forgotten = [number for each in again.values() for number in each]
        await conn.execute(_FORGET_OPEN, (forgotten,))
        await conn.execute(_FORGET_CLOSED, (forgotten,))
    if gone:
        await conn.execute(_REPLACE, tuple(map(list, zip(*gone, strict=True))))
    await _write(conn, made + changed)


async def _in_turns(clusters_: Mapping[int, Sequence[Row]]) -> AsyncIterator[tuple[int, Sequence[Row]]]:
    """The clusters one by one, with pauses in which others go on: a reader does not wait for a whole batch."""
    for n, item in enumerate(clusters_.items()):
        if n % _TURN == 0:
            await asyncio.sleep(0)
        yield item


def _goes_on(rows: Iterable[Row], known: Clusters, number: int) -> bool:
    """Whether everything new is later than all that the cluster has: then only what is open in it can change."""
    before = known.before[number]
    return not before.documents and all(
        row.statement.stated_at > before.stated_at and row.fact.kind != FACT_KIND_DOCUMENT for row in rows
    )


async def _went_on(
    conn: AsyncConnection[Any], later: Mapping[int, Sequence[Row]], known: Clusters, numbers: Numbers
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The rows that later statements make, and the keys of those that they replace."""
    belongs = {before: number for number in later for before in known.before[number].numbers}
    chains: dict[int, list[Chain]] = defaultdict(list)
    if belongs:
        open_rows = await (await conn.execute(_OPEN, (list(belongs),))).fetchall()
        for (cluster, _), of_chain in groupby(open_rows, key=lambda row: (row[0], row[6])):
            chains[belongs[cluster]].append(_chain(list(of_chain)))
    made: list[tuple[Any, ...]] = []
    gone: list[tuple[Any, ...]] = []
    async for number, rows in _in_turns(later):
        before = sorted(chains[number], key=lambda chain: chain.last.order)
        was = {id(entry): (entry, chain.identity) for chain in before for entry in chain.entries}
        lived = lives([row.statement for row in rows], before)
        same = {
            id(entry)
            for entry, chain in lived
            if id(entry) in was and chain is not None and chain.identity is was[id(entry)][1]
        }
        every = zip(_rows(numbers, number, lived), lived, strict=True)
        made += [row for row, (entry, _) in every if id(entry) not in same]
        gone += [(_number(numbers, entry), *place(entry)) for id_, (entry, _) in was.items() if id_ not in same]
    return made, gone


def _chain(rows: Sequence[Any]) -> Chain:
    entries = []
    for _, view, since, _, recorded_at, _, _, *moments in rows:
        recorded = RecordedFact.FromString(view)
        stated_at, received_at, ordinal, _ = moments
        stated = StatedFact(recorded.fact, stated_at, received_at, ordinal, recorded_at)
        entries.append(Entry(stated, recorded.fact, since, tuple(recorded.carried_from)))
    _, _, _, first_stated, _, identity, payload, *moments = rows[0]
    last = StatedFact(ClinicalFact.FromString(payload), *moments)
    return resumed(last, Identity.FromString(identity), entries, first_stated)


async def _statements(
    conn: AsyncConnection[Any], changed: Mapping[int, Collection[int]]
) -> dict[int, list[StatedFact]]:
    stated: dict[int, list[StatedFact]] = defaultdict(list)
    if changed:
        belongs = {cluster: number for number, before in changed.items() for cluster in before}
        for cluster, statement in await facts.of_clusters(conn, belongs):
            stated[belongs[cluster]].append(statement)
    return stated


async def rebuild(conn: AsyncConnection[Any]) -> None:
    """Make every entry again from the facts, inside the caller's transaction; writers wait."""
    await conn.execute("SELECT hold_writers(current_schema())")
    async with views.working(conn, "rebuild"):
        await conn.execute("DELETE FROM entry")
        for numbers in await identity.everyone(conn):
            stated = await facts.in_clusters(conn, numbers.values())
            cluster_of = {statement.fact.fact_id: cluster for cluster, statement in stated}
            made: list[tuple[Any, ...]] = []
            for cluster in clusters([statement for _, statement in stated]):
                own = [no for each in cluster if (no := cluster_of[each.fact.fact_id]) is not None]
                made += _rows(numbers, min(own, default=None), lives(cluster))
            await _write(conn, made)


async def keep_up(conn: AsyncConnection[Any]) -> None:
    """Rebuild when other rules than this version's made the entries."""
    made_with = inspect.getsource(timeline) + inspect.getsource(concept_of) + sensitivity.rules()
    rules = hashlib.sha256(made_with.encode()).hexdigest()
    async with conn.transaction():
        await conn.execute("LOCK TABLE entry_rules IN EXCLUSIVE MODE")
        made_by = await (await conn.execute(_RULES)).fetchone()
        if made_by == (rules,):
            return
        await rebuild(conn)
        await conn.execute("DELETE FROM entry_rules")
        await conn.execute("INSERT INTO entry_rules VALUES (%s)", (rules,))


async def label(conn: AsyncConnection[Any]) -> None:
    """Label the entries of an edition that nothing projects any more, inside the caller's transaction."""
    async with views.working(conn, "rebuild"):
        while rows := await (await conn.execute(_UNLABELLED, (_LABELLED_AT_ONCE,))).fetchall():
            known = [(*row[:4], labels(RecordedFact.FromString(row[4]).fact)) for row in rows]
            await conn.execute(_LABEL, tuple(map(list, zip(*known, strict=True))))


async def standing(conn: AsyncConnection[Any], numbers: Collection[int], kinds: Collection[int]) -> list[RecordedFact]:
    """The current statements of these kinds and identifiers."""
    rows = await (await conn.execute(_OF, (list(numbers), list(kinds)))).fetchall()
    return [RecordedFact.FromString(view) for (view,) in rows]


async def serving(
    conn: AsyncConnection[Any], numbers: Collection[int], most: int | None = MOST, past: Past | None = None
) -> tuple[list[RecordedFact], int]:
    """At most `most` of the statements of these identifiers that stand, or stood, as courses.chosen has them and as far
    as their bytes allow, and how many there are. None: the newest of each course.
    """
    asked: dict[str, Any] = {"numbers": list(numbers), "largest": LARGEST_SERVED}
    of = _of_past(past)
    known = _with(of, await _rows_of(conn, _COURSES, asked, past))
    many = sum(each.many for each in known)
    most = len(known) if most is None else most
    if many <= most:
        rows = [tuple(row) for row in await _rows_of(conn, _STANDING, asked, past)]
        return _in_order(served([*rows, *(_placed(row) for course in of.values() for row in course)])), many
    return await _cut(conn, asked, known, of, most, past), many


async def of_courses(
    conn: AsyncConnection[Any],
    numbers: Collection[int],
    about: Container[tuple[int, str]],
    most: int = MOST,
    past: Past | None = None,
) -> list[RecordedFact]:
    """What stands, or stood, of these courses (kind, concept): at most `most`, of each the newest and the oldest."""
    asked: dict[str, Any] = {"numbers": list(numbers), "largest": LARGEST_SERVED}
    of = _of_past(past)
    known = _with(of, await _rows_of(conn, _COURSES, asked, past))
    wanted = [each for each in known if (each.kind, each.concept) in about]
    return await _cut(conn, asked, wanted, of, most, past)


async def _cut(
    conn: AsyncConnection[Any], asked: dict[str, Any], known: Sequence[Course], of: _Rows, most: int, past: Past | None
) -> list[RecordedFact]:
    """As many of each of the courses as fit together."""
    shown, deep = depth(known, most)
    asked |= {"kinds": [each.kind for each in shown], "concepts": [each.concept for each in shown], "deep": deep}
    for kind, concept, *row in await _rows_of(conn, _OF_COURSES, asked, past):
        of[kind, concept].add(tuple(row))
    courses = (of[each.kind, each.concept] for each in shown)
    return _in_order(served([_placed(row) for course in courses for row in cut(sorted(course), deep)]))


def served(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """As many rows as one answer carries, those with the longest views left out first; the last column is the view."""
    if sum(len(row[-1]) for row in rows) <= SERVED_BYTES:
        return list(rows)
    by_size = sorted((row for row in rows if len(row[-1]) <= LARGEST_SERVED), key=lambda row: (len(row[-1]), row[:3]))
    together = accumulate(len(row[-1]) for row in by_size)
    return [row for row, size in zip(by_size, together, strict=True) if size <= SERVED_BYTES]


def _of_past(past: Past | None) -> _Rows:
    """What stood otherwise then, by course."""
    of: _Rows = defaultdict(set)
    for entry in _then_standing(past):
        of[entry.fact.kind, concept_of(entry.fact)].add(
            (entry.since, entry.fact.fact_id, *place(entry)[:2], entry.view())
        )
    return of


def _with(of: Mapping[tuple[int, str], Collection[tuple[Any, ...]]], rows: Iterable[Any]) -> list[Course]:
    """The courses of the database with what is added to them."""
    known = {row[:2]: Course(*row) for row in rows}
    for about, added in of.items():
        last = max(added)[0]
        before = known.get(about, Course(*about, 0, last))
        known[about] = Course(*about, before.many + len(added), max(before.newest, last))
    return list(known.values())


def _placed(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row of a course in the order of reading."""
    _, fact_id, starts, recorded_at, view = row
    return starts, recorded_at, fact_id, view


def _in_order(rows: Iterable[tuple[Any, ...]]) -> list[RecordedFact]:
    return [RecordedFact.FromString(row[3]) for row in sorted(rows)]


async def named(
    conn: AsyncConnection[Any],
    numbers: Collection[int],
    fact_ids: Collection[str],
    document_ids: Collection[str],
    past: Past | None = None,
) -> list[RecordedFact]:
    """What stands, or stood, with these ids, and of these documents themselves."""
    asked = {
        "numbers": list(numbers),
        "facts": list(fact_ids),
        "kinds": [FACT_KIND_DOCUMENT] if document_ids else [],
        "largest": LARGEST_SERVED,
    }
    views = [RecordedFact.FromString(view) for (view,) in await _rows_of(conn, _NAMED, asked, past)]
    views += [entry.recorded() for entry in _then_standing(past)]
    return [each for each in views if is_named(each.fact, fact_ids, document_ids)]


async def one(conn: AsyncConnection[Any], numbers: Collection[int], fact_id: str) -> RecordedFact | None:
    """The fact of this id, if it stands."""
    rows = await _rows_of(conn, _ONE, {"numbers": list(numbers), "fact": fact_id}, None)
    return RecordedFact.FromString(rows[0][0]) if rows else None


async def standing_among(
    conn: AsyncConnection[Any], numbers: Collection[int], fact_ids: Collection[str], past: Past | None = None
) -> set[str]:
    """Those of the facts that stand, or stood."""
    asked = {"numbers": list(numbers), "facts": list(fact_ids)}
    now = {fact_id for (fact_id,) in await _rows_of(conn, _STANDING_IDS, asked, past)}
    return now | ({entry.fact.fact_id for entry in _then_standing(past)} & set(fact_ids))


async def documents(
    conn: AsyncConnection[Any], numbers: Collection[int], known_at: datetime | str, past: Past | None = None
) -> dict[str, bool]:
    """The ids of the documents known by a time, and whether they stand now, or stood in the past."""
    asked = {"numbers": list(numbers), "kind": FACT_KIND_DOCUMENT, "known_at": known_at}
    found = await _rows_of(conn, _DOCUMENTS, asked, past, is_open=True)
    rows = [(RecordedFact.FromString(view).fact, on) for view, on in found]
    rows += [(each.fact, each.stands) for each in past.entries if each.fact.kind == FACT_KIND_DOCUMENT] if past else []
    known: dict[str, bool] = {}
    for fact, stands in rows:
        document_id = fact.source.document_id
        if document_id:
            known[document_id] = stands or known.get(document_id, False)
    return known


async def page(
    conn: AsyncConnection[Any],
    numbers: Collection[int],
    after: Place,
    limit: int,
    *,
    kinds: Collection[int] = (),
    superseded: bool = False,
    newest_first: bool = False,
    past: Past | None = None,
) -> tuple[list[RecordedFact], Place | None]:
    """At most `limit` entries behind a place, in the order of reading or from its end, and the place of the last if
    more follow.
    """
    asked = after._asdict() | {
        "numbers": list(numbers),
        "kinds": list(kinds),
        "superseded": superseded,
        "limit": limit + 1,
        "bytes": PAGE_BYTES,
    }
    rows = await _rows_of(conn, _PAGE_BACK if newest_first else _PAGE, asked, past)
    many = rows[0][4] if rows else 0
    if past is not None:
        whole = many == len(rows)
        then = [
            (*place(entry), entry.view())
            for entry in past.entries
            if (superseded or entry.stands) and (not kinds or entry.fact.kind in kinds)
        ]
        behind = [row for row in then if (row[:3] < after if newest_first else row[:3] > after)]
        many += len(behind)
        # What comes behind the last row that the database gave may have others before it.
        end = rows[-1][:3] if rows else after
        near = [row for row in behind if whole or (row[:3] > end if newest_first else row[:3] < end)]
        rows = _within(sorted([*(row[:4] for row in rows), *near], key=lambda row: row[:3], reverse=newest_first))
    kept = rows[:limit]
    last = Place(*kept[-1][:3]) if kept and many > len(kept) else None
    return [RecordedFact.FromString(row[3]) for row in kept], last


def _within(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """As many as a page holds."""
    before = accumulate((len(row[3]) for row in rows), initial=0)
    return [row for row, size in zip(rows, before, strict=False) if size < PAGE_BYTES]


async def _rows_of(
    conn: AsyncConnection[Any], query: str, asked: Mapping[str, Any], past: Past | None, *, is_open: bool = False
) -> list[Any]:
    """What a query finds now, or of the past what is unchanged since, and of that what is open to who calls.

    `is_open`: the query asks for that itself.
    """
    conditions = "" if is_open or not views.closed() else views.OPEN
    if past is not None:
        conditions += _UNCHANGED
        asked = {**asked, "known_at": past.known_at, "changed": past.changed}
    query = query.replace("WHERE identifier_no", f"WHERE {conditions}identifier_no")
    return await (await conn.execute(query.encode(), {**asked, "closed": views.closed()})).fetchall()


def _then_standing(past: Past | None) -> list[Entry]:
    return [] if past is None else timeline.standing(past.entries)


async def _write(conn: AsyncConnection[Any], made: Iterable[tuple[Any, ...]]) -> None:
    if columns := tuple(map(list, zip(*made, strict=True))):
        await conn.execute(_ADD, columns)


def _rows(numbers: Numbers, cluster: int | None, lived: Iterable[tuple[Entry, Chain | None]]) -> list[tuple[Any, ...]]:
    rows = []
    position: dict[int, int] = defaultdict(int)
    for entry, chain in lived:
        rows.append(_row(_number(numbers, entry), cluster, entry, chain, position[id(chain)]))
        position[id(chain)] += 1
    return rows


def _row(number: int, cluster: int | None, entry: Entry, chain: Chain | None, position: int) -> tuple[Any, ...]:
    fact = entry.fact
    return (
        number,
        *timeline.reading_order(entry),
        cluster,
        fact.kind,
        concept_of(fact),
        entry.since,
        entry.stands,
        entry.view(),
        labels(fact),
        *((None,) * 4 if chain is None else _open(chain, position)),
    )


def _number(numbers: Numbers, entry: Entry) -> int:
    """An entry stays with the identifier of its statement, whoever else has statements in the cluster."""
    patient = entry.fact.patient
    return numbers[Identifier(patient.authority, patient.id)]


def _open(chain: Chain, position: int) -> tuple[Any, ...]:
    identity = chain.identity.SerializeToString(deterministic=True)
    return chain.last.first.fact_id, identity, position, chain.first_stated


def place(entry: Entry) -> Place:
    """Where the entry stands in the order of reading."""
    return Place(*timeline.reading_order(entry))


def place_of(recorded: RecordedFact) -> Place:
    """The same, of an entry that was read."""
    starts = times.moment(recorded.fact, "valid_from") or times.EARLIEST
    return Place(starts, times.moment(recorded, "recorded_at") or times.EARLIEST, recorded.fact.fact_id)
