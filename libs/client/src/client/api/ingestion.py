"""Commands about what came, and trials of the rules that it is read by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from longitude.ingestion.v1 import ingestion_service_pb2 as pb
from longitude.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from longitude.record.v1.fact_pb2 import PatientKey

from client.api.channel import explained, open_channel

if TYPE_CHECKING:
    from longitude.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceAsyncStub

SECONDS = 60.0


class IngestionClient:
    """Commands to ingestion."""

    def __init__(self, stub: IngestionServiceAsyncStub) -> None:
        self._stub = stub

    @classmethod
    @asynccontextmanager
    async def connect(cls, endpoint: str) -> AsyncIterator[IngestionClient]:
        """A client while inside."""
        async with open_channel(endpoint) as channel:
            yield cls(IngestionServiceStub(channel))

    async def file_instance(self, sop_instance_uid: str, patient: PatientKey, filed_by: str, reason: str) -> str:
        """Say whose instance this is; the id of the study-received event that says so."""
        request = pb.FileInstanceRequest(
            sop_instance_uid=sop_instance_uid, patient=patient, filed_by=filed_by, reason=reason
        )
        with explained("ingestion"):
            return (await self._stub.FileInstance(request, timeout=SECONDS)).event_id

    async def try_feeds(self, feeds: str, messages: Sequence[pb.ReceivedMessage]) -> list[pb.Change]:
        """What this feed file would change in these messages."""
        with explained("ingestion"):
            request = pb.TryFeedsRequest(feeds=feeds, messages=messages)
            return list((await self._stub.TryFeeds(request, timeout=SECONDS)).changes)

    async def start_rereading(self, started_by: str, reason: str) -> str:
        """Have everything that was received read again; the id of the rereading."""
        request = pb.StartRereadingRequest(started_by=started_by, reason=reason)
        with explained("ingestion"):
            return (await self._stub.StartRereading(request, timeout=SECONDS)).rereading_id

    async def last_rereading(self) -> pb.GetRereadingResponse:
        """The rereading that was started last; without an id when there was none."""
        with explained("ingestion"):
            return await self._stub.GetRereading(pb.GetRereadingRequest(), timeout=SECONDS)
