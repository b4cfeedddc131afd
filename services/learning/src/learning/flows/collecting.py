"""An episode or a review comes: kept with us if its patient consented, else counted. Decided in the transaction that
marks the event as done, under the lock of the patient's consent: whoever withdraws waits for it, and then deletes it.
"""

from collections.abc import Sequence

from contracts.errors import PermanentError, UnavailableError
from eventbus import Event, Outgoing, once
from google.protobuf.message import DecodeError
from longitude.reasoning.v1.episode_pb2 import Episode
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed, EpisodeClosed
from longitude.record.v1.object_pb2 import ObjectRef

from learning import metrics
from learning.adapters.postgres import Connection, consents, held, training_set
from learning.domain import reviews
from learning.flows.parts import Parts

EPISODE, REVIEW = "episode", "review"
MEDIA_TYPE = "application/protobuf"


async def collect_episode(event: Event[EpisodeClosed], parts: Parts) -> Sequence[Outgoing]:
    """Copied before it is kept: what is copied and not kept is deleted by the sweep."""
    copied = await _copied(event.payload, parts)

    async def effect() -> Sequence[Outgoing]:
        kept = copied is not None and await _keep_episode(conn, event, *copied)
        await _note(conn, event, EPISODE, kept=kept)
        return []

    async with parts.store.connection() as conn:
        return await once(conn, event, effect)


async def collect_review(event: Event[AssessmentReviewed], parts: Parts) -> Sequence[Outgoing]:
    """Under the reviewer's pseudonym."""

    async def effect() -> Sequence[Outgoing]:
        kept = await _keep_review(conn, event, parts.pseudonym_key)
        await _note(conn, event, REVIEW, kept=kept)
        return []

    async with parts.store.connection() as conn:
        return await once(conn, event, effect)


async def _copied(closed: EpisodeClosed, parts: Parts) -> tuple[ObjectRef, Episode] | None:
    """The episode in our bucket; None where its patient has not consented: then nothing is fetched."""
    async with parts.store.connection() as conn:
        consent = await consents.get(conn, closed.patient)
    if consent is None or not consent.given:
        return None
    data = await parts.objects.get(closed.episode)
    try:
        episode = Episode.FromString(data)
    except DecodeError as error:
        raise PermanentError("undecodable") from error
    return await parts.objects.keep(parts.episodes, data, MEDIA_TYPE), episode


async def _keep_episode(conn: Connection, event: Event[EpisodeClosed], content: ObjectRef, episode: Episode) -> bool:
    consent = await consents.locked(conn, event.payload.patient)
    if consent is None or not consent.given:
        await held.doom(conn, [(content.bucket, content.key)])
        return False
    if not await held.stays(conn, content.bucket, content.key):
        raise UnavailableError("the copy was deleted meanwhile; it is made again")
    choices = reviews.choices(episode)
    await training_set.add_episode(conn, event.payload, consent.consent_id, content, choices, event.time)
    return True


async def _keep_review(conn: Connection, event: Event[AssessmentReviewed], key: bytes) -> bool:
    review = event.payload
    consent = await consents.locked(conn, review.patient)
    if consent is None or not consent.given:
        return False
    reviewer = reviews.pseudonym(key, review.reviewer)
    data, judged = reviews.kept(review, reviewer), reviews.judged(review)
    await training_set.add_review(conn, review, consent.consent_id, reviewer, data, judged, event.time)
    return True


async def _note(
    conn: Connection, event: Event[EpisodeClosed] | Event[AssessmentReviewed], what: str, *, kept: bool
) -> None:
    metrics.COLLECTED.labels(what, "kept" if kept else "without consent").inc()
    if not kept:
        await training_set.count(conn, what, event.time)
