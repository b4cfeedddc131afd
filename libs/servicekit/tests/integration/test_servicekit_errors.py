"""The whole family of errors over a real gRPC server: each error, and a subclass of it, is its status."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from contracts import errors
from google.protobuf.descriptor import FileDescriptor
from longitude.imaging.v1 import imaging_service_pb2 as pb
from longitude.imaging.v1.imaging_service_pb2_grpc import (
    ImagingServiceServicer,
    ImagingServiceStub,
    add_ImagingServiceServicer_to_server,
)
from servicekit.access import Access
from servicekit.grpc import channel, server

if TYPE_CHECKING:
    from longitude.imaging.v1.imaging_service_pb2_grpc import ImagingServiceAsyncStub

SECRET = "EVERYWOMAN"
ACCESS = Access(processes={"command": frozenset({"GetDocument", "GetStudyAnalysis"})})


def family(parent: type[errors.LongitudeError]) -> list[type[errors.LongitudeError]]:
    return [parent, *(each for child in parent.__subclasses__() for each in family(child))]


def subclass(kind: type[errors.LongitudeError]) -> type[errors.LongitudeError]:
    return type(f"Special{kind.__name__}", (kind,), {})


FAMILY = [each for each in family(errors.LongitudeError) if each.__module__ == errors.__name__]
KINDS = [*FAMILY, *(subclass(kind) for kind in FAMILY)]
NAMED = {kind.__name__: kind for kind in KINDS}


class Failing(ImagingServiceServicer):
    """Fails with the error that the request names."""

    async def GetDocument(self, request: pb.GetDocumentRequest, _: Any) -> pb.GetDocumentResponse:  # noqa: N802
        raise NAMED.get(request.document_id, KeyError)(SECRET)

    async def GetStudyAnalysis(  # noqa: N802 - the name in the proto
        self, request: pb.GetStudyAnalysisRequest, _: Any
    ) -> pb.GetStudyAnalysisResponse:
        raise NAMED.get(request.sop_instance_uid, KeyError)(SECRET)


@pytest.fixture
async def failing() -> AsyncIterator[ImagingServiceAsyncStub]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    file: FileDescriptor = pb.DESCRIPTOR
    async with (
        server(address, [(add_ImagingServiceServicer_to_server, Failing(), file)], 1.0, ACCESS),
        channel(address) as opened,
    ):
        yield ImagingServiceStub(opened)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
async def test_an_error_of_the_family_is_its_status_subclasses_included(
    failing: ImagingServiceAsyncStub, kind: type[errors.LongitudeError]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await failing.GetDocument(pb.GetDocumentRequest(document_id=kind.__name__))
    assert caught.value.code().name == kind.status
    # An internal error is a number that the log has; the others say their own text.
    assert (caught.value.details() == SECRET) == (kind.status != "INTERNAL")


async def test_an_error_outside_the_family_is_internal_and_its_text_stays_here(
    failing: ImagingServiceAsyncStub, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await failing.GetDocument(pb.GetDocumentRequest(document_id="a bug"))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert SECRET not in str(caught.value.details()) + caplog.text
