"""Episodes and reviews of patients who consented, and the mere count of all others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from longitude.reasoning.v1.events_pb2 import AssessmentReviewed, EpisodeClosed
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.object_pb2 import ObjectRef

from learning.adapters.postgres import Connection, held
from learning.domain.reviews import Judged
from learning.domain.rubric import Count, Reviewer

_COUNT = """INSERT INTO not_collected (day, what, count) VALUES (%s, %s, 1)
    ON CONFLICT (day, what) DO UPDATE SET count = not_collected.count + 1"""
_EPISODE = """INSERT INTO episode (episode_id, assessment_id, patient_id, authority, consent_id, bucket, key, size,
    steps, tokens, closed_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""
_CHOICES = """INSERT INTO choice (episode_id, step, kind)
    SELECT %s, * FROM unnest(%s::int[], %s::text[]) ON CONFLICT DO NOTHING"""
_REVIEW = """INSERT INTO review (review_id, assessment_id, patient_id, authority, consent_id, reviewer, review,
    reviewed_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""
_JUDGED = """INSERT INTO judged (review_id, position, episode_step, violation)
    SELECT %s, * FROM unnest(%s::int[], %s::int[], %s::text[]) ON CONFLICT DO NOTHING"""
_ERASE_EPISODES = "DELETE FROM episode WHERE (patient_id, authority) = (%s, %s) RETURNING bucket, key"
_ERASE_REVIEWS = "DELETE FROM review WHERE (patient_id, authority) = (%s, %s) RETURNING review_id"
_EXPIRE_EPISODES = "DELETE FROM episode WHERE closed_at < clock_timestamp() - %s RETURNING bucket, key"
_EXPIRE_REVIEWS = "DELETE FROM review WHERE reviewed_at < clock_timestamp() - %s RETURNING review_id"
_KEPT = """SELECT (SELECT count(*) FROM episode WHERE (patient_id, authority) = (%(id)s, %(authority)s)),
                  (SELECT count(*) FROM review WHERE (patient_id, authority) = (%(id)s, %(authority)s))"""
_TOTALS = """SELECT (SELECT count(*) FROM episode), (SELECT count(*) FROM review),
                    (SELECT coalesce(sum(count), 0)::bigint FROM not_collected)"""
_COUNTS = """SELECT CASE WHEN j.episode_step = 0 THEN 'rule' ELSE coalesce('model, ' || c.kind, 'model') END,
       j.violation, r.reviewed_at >= clock_timestamp() - %s, count(*)
    FROM judged j JOIN review r USING (review_id) LEFT JOIN episode e USING (assessment_id)
    LEFT JOIN choice c ON c.episode_id = e.episode_id AND c.step = j.episode_step AND j.episode_step > 0
    GROUP BY 1, 2, 3"""
_REVIEWERS = """SELECT reviewer, count(*), count(*) FILTER (WHERE violation <> '')
    FROM judged JOIN review USING (review_id) GROUP BY reviewer ORDER BY 2 DESC, 1"""
# By id, so that reading goes on where it was, whatever is deleted meanwhile.
_PAGE = """SELECT e.episode_id::text, e.bucket, e.key, e.size, r.review
    FROM episode e LEFT JOIN review r ON r.assessment_id = e.assessment_id AND NOT r.reviewer = ANY(%s)
    WHERE e.episode_id > %s ORDER BY e.episode_id LIMIT 100"""
_FIRST = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Kept:
    """An episode as it is referred to, and its review if there is one to learn from."""

    episode_id: str
    object: ObjectRef
    review: bytes | None


async def count(conn: Connection, what: str, at: datetime) -> None:
    """One that was not kept: nothing of it but that it was."""
    await conn.execute(_COUNT, (at.date(), what))


async def add_episode(
    conn: Connection,
    closed: EpisodeClosed,
    consent_id: str,
    content: ObjectRef,
    choices: Mapping[int, str],
    at: datetime,
) -> None:
    """An episode, where its content lies with us, and what the model chose at each turn."""
    who, what = (closed.patient.id, closed.patient.authority), (content.bucket, content.key, content.size)
    row = (closed.episode_id, closed.assessment_id, *who, consent_id, *what, closed.steps, closed.tokens, at)
    await conn.execute(_EPISODE, row)
    await conn.execute(_CHOICES, (closed.episode_id, list(choices), list(choices.values())))


async def add_review(
    conn: Connection,
    review: AssessmentReviewed,
    consent_id: str,
    reviewer: str,
    data: bytes,
    judged: Sequence[Judged],
    at: datetime,
) -> None:
    """A review under a pseudonym, and what became of each of its statements."""
    who = (review.patient.id, review.patient.authority)
    await conn.execute(_REVIEW, (review.review_id, review.assessment_id, *who, consent_id, reviewer, data, at))
    steps, violations = [each.episode_step for each in judged], [each.violation for each in judged]
    await conn.execute(_JUDGED, (review.review_id, list(range(len(judged))), steps, violations))


async def erase(conn: Connection, patient: PatientKey) -> int:
    """Everything of one patient; its objects are doomed. Returns how many episodes and reviews that were."""
    who = (patient.id, patient.authority)
    return await _delete(conn, _ERASE_EPISODES, _ERASE_REVIEWS, who)


async def expire(conn: Connection, age: timedelta) -> int:
    """Everything that is older."""
    return await _delete(conn, _EXPIRE_EPISODES, _EXPIRE_REVIEWS, (age,))


async def kept(conn: Connection, patient: PatientKey) -> tuple[int, int]:
    """How many episodes and reviews of a patient there are."""
    row = await (await conn.execute(_KEPT, {"id": patient.id, "authority": patient.authority})).fetchone()
    return row or (0, 0)


async def totals(conn: Connection) -> tuple[int, int, int]:
    """Episodes, reviews, and how many were not collected."""
    row = await (await conn.execute(_TOTALS)).fetchone()
    return row or (0, 0, 0)


async def counts(conn: Connection, recent: timedelta) -> list[Count]:
    """Statements by kind and by what became of them."""
    rows = await (await conn.execute(_COUNTS, (recent,))).fetchall()
    return [Count(*row) for row in rows]


async def reviewers(conn: Connection) -> list[Reviewer]:
    """Who reviewed how many statements, and corrected how many."""
    rows = await (await conn.execute(_REVIEWERS)).fetchall()
    return [Reviewer(*row) for row in rows]


async def page(conn: Connection, after: str, left_out: Collection[str]) -> list[Kept]:
    """The next hundred episodes; reviews of those who are left out do not count."""
    rows = await (await conn.execute(_PAGE, (list(left_out), after or _FIRST))).fetchall()
    return [
        Kept(id_, ObjectRef(bucket=bucket, key=key, sha256=key, size=size), review)
        for id_, bucket, key, size, review in rows
    ]


async def _delete(conn: Connection, episodes: str, reviews: str, parameters: tuple[object, ...]) -> int:
    objects = await (await conn.execute(episodes.encode(), parameters)).fetchall()
    await held.doom(conn, objects)
    gone = await (await conn.execute(reviews.encode(), parameters)).fetchall()
    return len(objects) + len(gone)
