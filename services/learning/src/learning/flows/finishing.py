"""A job ends with a candidate: the artifact first, then job, version and event in one transaction. Killed anywhere, the
job is still running and is finished again; nothing is half published.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from contracts.errors import PermanentError, UnavailableError
from contracts.identifiers import event_id
from contracts.topics import CANDIDATE_TRAINED
from eventbus import Outgoing, stage
from longitude.learning.v1.events_pb2 import CandidateTrained, Figure, Gate, Version
from longitude.record.v1.object_pb2 import ObjectRef

from learning.adapters.objects import Objects
from learning.adapters.postgres import held, jobs, versions
from learning.adapters.postgres.jobs import Lease
from learning.domain.training import Candidate
from learning.domain.versions import gates

MEDIA_TYPE = "application/octet-stream"
MAX_ARTIFACT_BYTES = 256 * 1024 * 1024
# The partition key of everything about versions: one after the other.
KEY = b"versions"


class ArtifactTooLargeError(PermanentError):
    """An adapter is small; this is something else."""

    kind = "artifact-too-large"


async def finish(objects: Objects, bucket: str, lease: Lease, candidate: Candidate) -> bool:
    """False when the job is this attempt's no more: then nothing is published."""
    if candidate.artifact.stat().st_size > MAX_ARTIFACT_BYTES:
        raise ArtifactTooLargeError(f"the artifact has more than {MAX_ARTIFACT_BYTES:,} bytes")
    report = gates(candidate.gates)
    data = await asyncio.to_thread(candidate.artifact.read_bytes)
    artifact = await objects.keep(bucket, data, MEDIA_TYPE)
    version = _version(lease, candidate, artifact)
    async with objects.store.connection() as conn, conn.transaction():
        if not await jobs.end(conn, lease, "done"):
            return False
        if not await held.stays(conn, artifact.bucket, artifact.key):
            raise UnavailableError("the artifact was deleted meanwhile; it is stored again")
        await versions.add(conn, version, report)
        await stage(conn, version.version_id, [_trained(version, report)])
    return True


def _version(lease: Lease, candidate: Candidate, artifact: ObjectRef) -> Version:
    made = Version(
        version_id=event_id("learning-version", lease.job_id),
        job_id=lease.job_id,
        artifact=artifact,
        base_model=candidate.base_model,
        adapter=candidate.adapter,
        data=candidate.data,
        figures=[Figure(name=name, value=value) for name, value in sorted(candidate.figures.items())],
    )
    made.trained_at.FromDatetime(datetime.now(UTC))
    return made


def _trained(version: Version, report: Sequence[Gate]) -> Outgoing:
    payload = CandidateTrained(version=version, gates=report)
    id_ = event_id("candidate-trained", version.version_id)
    return Outgoing(CANDIDATE_TRAINED, id_, KEY, payload, version.trained_at.ToDatetime(tzinfo=UTC))
