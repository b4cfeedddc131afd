"""The LearningService: checks what a stranger can send, hands over to the handlers."""

# ruff: noqa: N802 - the names are those of the generated servicer

from datetime import timedelta
from typing import Any
from uuid import UUID

from contracts.errors import InvalidInputError, NotFoundError
from longitude.learning.v1 import learning_service_pb2 as pb
from longitude.learning.v1.learning_service_pb2_grpc import LearningServiceServicer
from longitude.record.v1.fact_pb2 import PatientKey

from learning import handlers, views
from learning.adapters.postgres import versions
from learning.domain.jobs import Order, check_person
from learning.flows import promoting
from learning.flows.parts import Parts

MAX_IDENTIFIER = 255
MAX_REASON = 1000
MAX_SERIES = 100
DAYS, MAX_DAYS = 30, 36_500


class Rpc(LearningServiceServicer):
    """Consents, jobs, versions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def SetConsent(self, request: pb.SetConsentRequest, _: Any) -> pb.SetConsentResponse:
        _check_patient(request.patient)
        check_person(request.decided_by, "decided_by")
        event_id, deleted = await handlers.on_consent_set(
            request.patient, request.decided_by, self._parts, given=request.given
        )
        return pb.SetConsentResponse(event_id=event_id, deleted=deleted)

    async def GetConsent(self, request: pb.GetConsentRequest, _: Any) -> pb.GetConsentResponse:
        _check_patient(request.patient)
        return await handlers.on_consent_asked_for(request.patient, self._parts)

    async def StartJob(self, request: pb.StartJobRequest, _: Any) -> pb.StartJobResponse:
        order = Order(request.request_id, request.recipe, request.seed, request.steps, request.started_by)
        return pb.StartJobResponse(job=await handlers.on_job_ordered(order, self._parts))

    async def GetJob(self, request: pb.GetJobRequest, _: Any) -> pb.GetJobResponse:
        return pb.GetJobResponse(job=await handlers.on_job_asked_for(_id(request.job_id, "job"), self._parts))

    async def ListJobs(self, _request: pb.ListJobsRequest, _: Any) -> pb.ListJobsResponse:
        return pb.ListJobsResponse(jobs=await handlers.on_jobs_listed(self._parts))

    async def StopJob(self, request: pb.StopJobRequest, _: Any) -> pb.StopJobResponse:
        return pb.StopJobResponse(job=await handlers.on_job_stopped(_id(request.job_id, "job"), self._parts))

    async def GetCurves(self, request: pb.GetCurvesRequest, _: Any) -> pb.GetCurvesResponse:
        if len(request.series) > MAX_SERIES:
            raise InvalidInputError(f"at most {MAX_SERIES} series are asked for by name")
        job_id = _id(request.job_id, "job")
        return pb.GetCurvesResponse(curves=await handlers.on_curves_asked_for(job_id, request.series, self._parts))

    async def Report(self, request: pb.ReportRequest, _: Any) -> pb.ReportResponse:
        if request.days > MAX_DAYS:
            raise InvalidInputError(f"days must be at most {MAX_DAYS}")
        return await handlers.on_report_asked_for(timedelta(days=request.days or DAYS), self._parts)

    async def ListVersions(self, _request: pb.ListVersionsRequest, _: Any) -> pb.ListVersionsResponse:
        async with self._parts.store.connection() as conn:
            stored = await versions.newest(conn)
        return pb.ListVersionsResponse(versions=map(views.version, stored))

    async def FileGateReport(self, request: pb.FileGateReportRequest, _: Any) -> pb.FileGateReportResponse:
        version_id = _id(request.version_id, "version")
        passed = await promoting.file_report(version_id, request.gates, self._parts)
        return pb.FileGateReportResponse(passed=passed)

    async def Promote(self, request: pb.PromoteRequest, _: Any) -> pb.PromoteResponse:
        check_person(request.decided_by, "decided_by")
        version_id = _id(request.version_id, "version")
        return pb.PromoteResponse(event_id=await promoting.promote(version_id, request.decided_by, self._parts))

    async def RollBack(self, request: pb.RollBackRequest, _: Any) -> pb.RollBackResponse:
        if request.decided_by:
            check_person(request.decided_by, "decided_by")
        if len(request.reason) > MAX_REASON:
            raise InvalidInputError(f"reason must have at most {MAX_REASON} characters")
        event_id, live = await promoting.roll_back(request.decided_by, request.reason, self._parts)
        return pb.RollBackResponse(event_id=event_id, live_version_id=live)


def _check_patient(patient: PatientKey) -> None:
    if not (0 < len(patient.id) <= MAX_IDENTIFIER and 0 < len(patient.authority) <= MAX_IDENTIFIER):
        raise InvalidInputError(f"patient needs id and authority of at most {MAX_IDENTIFIER} characters")


def _id(text: str, what: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFoundError(f"no such {what}") from None
