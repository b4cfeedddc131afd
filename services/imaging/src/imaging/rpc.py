"""Reads of stored answers over gRPC."""

from typing import Any

from contracts.errors import InvalidInputError, NotFoundError
from longitude.imaging.v1 import imaging_service_pb2 as pb
from longitude.imaging.v1.imaging_service_pb2_grpc import ImagingServiceServicer

from imaging.adapters.postgres import Store


class Rpc(ImagingServiceServicer):
    """ImagingService of proto/longitude/imaging/v1/imaging_service.proto."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def GetStudyAnalysis(  # noqa: N802 - the name in the proto
        self,
        request: pb.GetStudyAnalysisRequest,
        context: Any,  # noqa: ARG002 - gRPC's signature
    ) -> pb.GetStudyAnalysisResponse:
        """The latest analysis of an instance."""
        if not request.sop_instance_uid:
            raise InvalidInputError("sop_instance_uid is empty")
        analysis = await self._store.study(request.sop_instance_uid)
        if analysis is None:
            raise NotFoundError("no analysis of this SOP instance")
        return pb.GetStudyAnalysisResponse(analysis=analysis)

    async def GetDocument(  # noqa: N802 - the name in the proto
        self,
        request: pb.GetDocumentRequest,
        context: Any,  # noqa: ARG002 - gRPC's signature
    ) -> pb.GetDocumentResponse:
        """The latest reading of a document."""
        if not request.document_id:
            raise InvalidInputError("document_id is empty")
        document = await self._store.document(request.document_id)
        if document is None:
            raise NotFoundError("no reading of this document")
        return pb.GetDocumentResponse(document=document)
