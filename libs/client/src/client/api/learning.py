"""Consents, jobs and versions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from longitude.learning.v1 import learning_service_pb2 as pb
from longitude.learning.v1.events_pb2 import Gate
from longitude.learning.v1.learning_service_pb2_grpc import LearningServiceStub
from longitude.record.v1.fact_pb2 import PatientKey

from client.api.channel import explained, open_channel

if TYPE_CHECKING:
    from longitude.learning.v1.learning_service_pb2_grpc import LearningServiceAsyncStub

SECONDS = 30.0


class LearningClient:
    """Commands to learning."""

    def __init__(self, stub: LearningServiceAsyncStub) -> None:
        self._stub = stub

    @classmethod
    @asynccontextmanager
    async def connect(cls, endpoint: str) -> AsyncIterator[LearningClient]:
        """A client while inside."""
        async with open_channel(endpoint) as channel:
            yield cls(LearningServiceStub(channel))

    async def set_consent(self, patient: PatientKey, decided_by: str, *, given: bool) -> pb.SetConsentResponse:
        """Whether a patient may be learned from; a withdrawal deletes what was kept."""
        request = pb.SetConsentRequest(patient=patient, given=given, decided_by=decided_by)
        with explained("learning"):
            return await self._stub.SetConsent(request, timeout=SECONDS)

    async def consent(self, patient: PatientKey) -> pb.GetConsentResponse:
        """What was said last, and what is kept."""
        with explained("learning"):
            return await self._stub.GetConsent(pb.GetConsentRequest(patient=patient), timeout=SECONDS)

    async def start(self, request: pb.StartJobRequest) -> pb.Job:
        """Queue a job, once for each request id."""
        with explained("learning"):
            return (await self._stub.StartJob(request, timeout=SECONDS)).job

    async def job(self, job_id: str) -> pb.Job:
        """A job as it stands."""
        with explained("learning"):
            return (await self._stub.GetJob(pb.GetJobRequest(job_id=job_id), timeout=SECONDS)).job

    async def jobs(self) -> list[pb.Job]:
        """The last hundred, the newest first."""
        with explained("learning"):
            return list((await self._stub.ListJobs(pb.ListJobsRequest(), timeout=SECONDS)).jobs)

    async def stop(self, job_id: str) -> pb.Job:
        """End a job that is queued or running."""
        with explained("learning"):
            return (await self._stub.StopJob(pb.StopJobRequest(job_id=job_id), timeout=SECONDS)).job

    async def curves(self, job_id: str, series: Sequence[str] = ()) -> list[pb.Curve]:
        """The points that a job has reported; all series when none is named."""
        request = pb.GetCurvesRequest(job_id=job_id, series=series)
        with explained("learning"):
            return list((await self._stub.GetCurves(request, timeout=SECONDS)).curves)

    async def report(self, days: int) -> pb.ReportResponse:
        """What physicians keep correcting."""
        with explained("learning"):
            return await self._stub.Report(pb.ReportRequest(days=days), timeout=SECONDS)

    async def versions(self) -> list[pb.VersionEntry]:
        """The last hundred, the newest first."""
        with explained("learning"):
            return list((await self._stub.ListVersions(pb.ListVersionsRequest(), timeout=SECONDS)).versions)

    async def file_gates(self, version_id: str, gates: Sequence[Gate]) -> bool:
        """What the gates measured of a version; whether all were passed."""
        request = pb.FileGateReportRequest(version_id=version_id, gates=gates)
        with explained("learning"):
            return (await self._stub.FileGateReport(request, timeout=SECONDS)).passed

    async def promote(self, version_id: str, decided_by: str) -> str:
        """Let a version serve; the id of the event. RefusedError names the figure that failed."""
        request = pb.PromoteRequest(version_id=version_id, decided_by=decided_by)
        with explained("learning"):
            return (await self._stub.Promote(request, timeout=SECONDS)).event_id

    async def roll_back(self, decided_by: str, reason: str) -> pb.RollBackResponse:
        """Take back the version that serves."""
        request = pb.RollBackRequest(decided_by=decided_by, reason=reason)
        with explained("learning"):
            return await self._stub.RollBack(request, timeout=SECONDS)
