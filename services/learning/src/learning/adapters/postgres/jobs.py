"""Jobs and the points of their curves. A trainer holds a job by lease and writes under the number of its attempt: once
another has taken the job, or it was stopped, the earlier one writes nothing any more.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from learning.adapters.postgres import Connection
from learning.domain.jobs import MAX_FRUITLESS, Order

# Of one curve, as it is shown.
MOST_POINTS = 2000

_ADD = """INSERT INTO job (job_id, recipe, seed, steps, started_by) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING"""
_COLUMNS = """job_id::text, recipe, seed, steps, state, step, reason, started_by, asked_at, ended_at, attempt,
    attempt_at, attempt_step, (SELECT version_id::text FROM version v WHERE v.job_id = job.job_id)"""
_GET = f"SELECT {_COLUMNS} FROM job WHERE job_id = %s"  # noqa: S608 - the columns are ours
_LIST = f"SELECT {_COLUMNS} FROM job ORDER BY asked_at DESC, job_id LIMIT 100"  # noqa: S608
_STOP = """UPDATE job SET state = 'stopped', ended_at = clock_timestamp(), leased_by = '', leased_until = NULL
    WHERE job_id = %s AND state IN ('queued', 'running') RETURNING 1"""
_GIVE_UP = """UPDATE job SET state = 'failed', reason = why, ended_at = clock_timestamp(), leased_until = NULL
    WHERE state = 'running' AND leased_until < clock_timestamp() AND fruitless >= %s"""
_OPEN = """state = 'queued' OR (state = 'running' AND (leased_until < clock_timestamp() OR leased_by = %(name)s))"""
_WAITING = f"SELECT EXISTS (SELECT FROM job WHERE {_OPEN})"  # noqa: S608
_TAKE = f"""UPDATE job SET state = 'running', attempt = attempt + 1, fruitless = fruitless + 1,
        attempt_at = clock_timestamp(), attempt_step = step, why = 'trainer-died',
        leased_by = %(name)s, leased_until = clock_timestamp() + %(lease)s
    WHERE job_id = (SELECT job_id FROM job WHERE {_OPEN} ORDER BY asked_at, job_id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING job_id::text, recipe, seed, steps, step, attempt"""  # noqa: S608
_HELD = """SELECT job_id::text, recipe, seed, steps, step, attempt FROM job
    WHERE state = 'running' AND leased_by = %s AND leased_until > clock_timestamp()"""
_MINE = "job_id = %(job)s AND attempt = %(attempt)s AND state = 'running'"
_PROGRESS = f"""UPDATE job SET step = %(step)s, furthest = greatest(furthest, %(step)s),
        fruitless = CASE WHEN %(step)s > furthest THEN 0 ELSE fruitless END,
        attempt_step = least(attempt_step, %(step)s - 1), leased_until = clock_timestamp() + %(lease)s
    WHERE {_MINE} RETURNING 1"""  # noqa: S608
_RENEW = f"UPDATE job SET leased_until = clock_timestamp() + %(lease)s WHERE {_MINE} RETURNING 1"  # noqa: S608
_RELEASE = f"""UPDATE job SET leased_until = clock_timestamp() - interval '1 second', leased_by = '',
        why = CASE WHEN %(why)s = '' THEN why ELSE %(why)s END,
        fruitless = CASE WHEN %(why)s = '' THEN greatest(fruitless - 1, 0) ELSE fruitless END
    WHERE {_MINE}"""  # noqa: S608
_END = f"""UPDATE job SET state = %(state)s, reason = %(reason)s, ended_at = clock_timestamp(), leased_by = '',
        leased_until = NULL WHERE {_MINE} RETURNING 1"""  # noqa: S608
_POINTS = """INSERT INTO point (job_id, series, step, value)
    SELECT %s, series, %s, value FROM unnest(%s::text[], %s::float8[]) AS p (series, value)
    ON CONFLICT (job_id, series, step) DO UPDATE SET value = excluded.value"""
# What an attempt reported beyond where its successor went on belongs to the curve once it is made again.
# Of a long curve every so many points, and the last one.
_CURVES = """SELECT series, step, value FROM (
        SELECT series, p.step, value, row_number() OVER line AS place, count(*) OVER (PARTITION BY series) AS many
        FROM point p JOIN job USING (job_id)
        WHERE job_id = %(job)s AND p.step <= job.step AND (%(all)s OR series = ANY(%(series)s))
        WINDOW line AS (PARTITION BY series ORDER BY p.step)
    ) AS points WHERE (place - 1) %% ((many - 1) / %(most)s + 1) = 0 OR place = many ORDER BY series, step"""
_LAST = """SELECT DISTINCT ON (job_id, series) job_id::text, series, value FROM point p JOIN job USING (job_id)
    WHERE job_id = ANY(%s::uuid[]) AND p.step <= job.step ORDER BY job_id, series, p.step DESC"""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it stands."""

    job_id: str
    recipe: str
    seed: int
    steps: int
    state: str
    step: int
    reason: str
    started_by: str
    asked_at: datetime
    ended_at: datetime | None
    attempt: int
    attempt_at: datetime | None
    attempt_step: int
    version_id: str | None


@dataclass(frozen=True, slots=True)
class Lease:
    """A job that a trainer took, under the number of its attempt."""

    job_id: str
    recipe: str
    seed: int
    steps: int
    step: int
    attempt: int


async def add(conn: Connection, order: Order) -> None:
    """Queue a job; nothing changes when it is there."""
    await conn.execute(_ADD, (order.job_id, order.recipe, order.seed, order.steps, order.started_by))


async def get(conn: Connection, job_id: str) -> StoredJob | None:
    """None when there is no such job."""
    row = await (await conn.execute(_GET.encode(), (job_id,))).fetchone()
    return None if row is None else StoredJob(*row)


async def newest(conn: Connection) -> list[StoredJob]:
    """The last hundred, the newest first."""
    return [StoredJob(*row) for row in await (await conn.execute(_LIST.encode())).fetchall()]


async def stop(conn: Connection, job_id: str) -> bool:
    """End it, whoever trains; False when it had ended."""
    return await (await conn.execute(_STOP, (job_id,))).fetchone() is not None


async def waiting(conn: Connection) -> bool:
    """Whether there is a job to take. One whose trainers died again and again without a further step has failed."""
    await conn.execute(_GIVE_UP, (MAX_FRUITLESS,))
    row = await (await conn.execute(_WAITING.encode(), {"name": None})).fetchone()
    return bool(row and row[0])


async def take(conn: Connection, name: str, lease: timedelta) -> Lease | None:
    """The oldest job that waits, or that a trainer of this name holds: it died, for this one took its place."""
    await conn.execute(_GIVE_UP, (MAX_FRUITLESS,))
    row = await (await conn.execute(_TAKE.encode(), {"name": name, "lease": lease})).fetchone()
    return None if row is None else Lease(*row)


async def taken_by(conn: Connection, name: str) -> Lease | None:
    """What a trainer of this name holds now."""
    row = await (await conn.execute(_HELD, (name,))).fetchone()
    return None if row is None else Lease(*row)


async def progress(conn: Connection, lease: Lease, step: int, points: Mapping[str, float], longer: timedelta) -> bool:
    """A step and its points, in one transaction; False when the job is this attempt's no more."""
    mine = {"job": lease.job_id, "attempt": lease.attempt, "step": step, "lease": longer}
    async with conn.transaction():
        if await (await conn.execute(_PROGRESS.encode(), mine)).fetchone() is None:
            return False
        await conn.execute(_POINTS, (lease.job_id, step, list(points), list(points.values())))
    return True


async def renew(conn: Connection, lease: Lease, longer: timedelta) -> bool:
    """False when the job is this attempt's no more."""
    mine = {"job": lease.job_id, "attempt": lease.attempt, "lease": longer}
    return await (await conn.execute(_RENEW.encode(), mine)).fetchone() is not None


async def release(conn: Connection, lease: Lease, why: str = "") -> None:
    """The trainer ends before the job does, and the next one need not wait for the lease. With a reason it counts as an
    attempt that got no further.
    """
    await conn.execute(_RELEASE.encode(), {"job": lease.job_id, "attempt": lease.attempt, "why": why})


async def end(conn: Connection, lease: Lease, state: str, reason: str = "") -> bool:
    """`done`, or `failed` with the reason; False when the job is this attempt's no more."""
    mine = {"job": lease.job_id, "attempt": lease.attempt, "state": state, "reason": reason}
    return await (await conn.execute(_END.encode(), mine)).fetchone() is not None


async def curves(conn: Connection, job_id: str, series: Collection[str]) -> list[tuple[str, int, float]]:
    """Series, step and value, in this order; all series when none is named. At most `MOST_POINTS` of a series."""
    named = {"job": job_id, "all": not series, "series": list(series), "most": MOST_POINTS - 1}
    return await (await conn.execute(_CURVES, named)).fetchall()


async def last_figures(conn: Connection, job_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """By job the last value of each series."""
    made: dict[str, dict[str, float]] = {job_id: {} for job_id in job_ids}
    for job_id, series, value in await (await conn.execute(_LAST, (list(job_ids),))).fetchall():
        made[job_id][series] = value
    return made
