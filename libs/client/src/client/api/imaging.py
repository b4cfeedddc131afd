"""What was seen on images and read from documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from longitude.imaging.v1 import events_pb2
from longitude.imaging.v1 import imaging_service_pb2 as pb
from longitude.imaging.v1.imaging_service_pb2_grpc import ImagingServiceStub

from client.api.channel import explained, open_channel

if TYPE_CHECKING:
    from longitude.imaging.v1.imaging_service_pb2_grpc import ImagingServiceAsyncStub

SECONDS = 30.0


class ImagingClient:
    """Reads of stored analyses."""

    def __init__(self, stub: ImagingServiceAsyncStub) -> None:
        self._stub = stub

    @classmethod
    @asynccontextmanager
    async def connect(cls, endpoint: str) -> AsyncIterator[ImagingClient]:
        """A client while inside."""
        async with open_channel(endpoint) as channel:
            yield cls(ImagingServiceStub(channel))

    async def study(self, sop_instance_uid: str) -> events_pb2.StudyAnalysed:
        """The analysis of an image instance."""
        with explained("imaging"):
            request = pb.GetStudyAnalysisRequest(sop_instance_uid=sop_instance_uid)
            return (await self._stub.GetStudyAnalysis(request, timeout=SECONDS)).analysis

    async def document(self, document_id: str) -> events_pb2.DocumentRead:
        """The reading of a document."""
        with explained("imaging"):
            request = pb.GetDocumentRequest(document_id=document_id)
            return (await self._stub.GetDocument(request, timeout=SECONDS)).document
