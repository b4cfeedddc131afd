"""NUL in a request: no store takes it, so no caller gets further than the door, in whatever field it stands."""

from __future__ import annotations

import importlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import longitude
import pytest
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from longitude.imaging.v1 import imaging_service_pb2
from longitude.ingestion.v1 import ingestion_service_pb2
from servicekit.access import Access
from servicekit.grpc import channel, server


def services() -> list[ServiceDescriptor]:
    paths = [(path, root) for root in longitude.__path__ for path in Path(root).rglob("*_service_pb2.py")]
    names = [".".join(("longitude", *path.relative_to(root).with_suffix("").parts)) for path, root in paths]
    files = [importlib.import_module(name).DESCRIPTOR for name in names]
    return [service for file in files for service in file.services_by_name.values()]


METHODS = [method for service in services() for method in service.methods]


def with_nul(message: Message, depth: int = 0) -> Iterator[Message]:
    """For each text field of a message, to three levels: the message with NUL in it alone."""
    for field in message.DESCRIPTOR.fields:
        whole = type(message)()
        if field.type == FieldDescriptor.TYPE_STRING:
            if field.is_repeated:
                getattr(whole, field.name).append("a\0b")
            else:
                setattr(whole, field.name, "a\0b")
            yield whole
        elif field.message_type is not None and depth < 3 and not field.message_type.GetOptions().map_entry:
            for part in with_nul(
                getattr(type(message)(), field.name).add()
                if field.is_repeated
                else getattr(type(message)(), field.name),
                depth + 1,
            ):
                whole = type(message)()
                if field.is_repeated:
                    getattr(whole, field.name).append(part)
                else:
                    getattr(whole, field.name).CopyFrom(part)
                yield whole


@asynccontextmanager
async def serving(method: MethodDescriptor) -> AsyncIterator[grpc.aio.Channel]:
    """A service that answers anything that it is asked."""
    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)

    async def answer(_: Any, context: Any) -> Message:
        return response()

    async def to_each(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
        async for _ in requests:
            yield response()

    async def answers(_: Any, context: Any) -> AsyncIterator[Message]:
        yield response()

    behaviour: Any
    if method.client_streaming:
        kind, behaviour = grpc.stream_stream_rpc_method_handler, to_each
    elif method.server_streaming:
        kind, behaviour = grpc.unary_stream_rpc_method_handler, answers
    else:
        kind, behaviour = grpc.unary_unary_rpc_method_handler, answer
    handler = kind(
        behaviour,
        request_deserializer=request.FromString,
        response_serializer=response.SerializeToString,
    )
    generic = grpc.method_handlers_generic_handler(method.containing_service.full_name, {method.name: handler})
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"

    def register(_: Any, to: grpc.aio.Server) -> None:
        to.add_generic_rpc_handlers((generic,))

    registration, access = (
        (register, None, method.containing_service.file),
        Access(processes={"command": frozenset({method.name})}),
    )
    async with server(address, [registration], 1.0, access), channel(address) as opened:
        yield opened


async def code_of(opened: grpc.aio.Channel, method: MethodDescriptor, request: Message) -> tuple[str, str]:
    path, parse = (
        f"/{method.containing_service.full_name}/{method.name}",
        GetMessageClass(method.output_type).FromString,
    )
    write = type(request).SerializeToString
    try:
        if method.client_streaming:
            ask = opened.stream_stream(path, request_serializer=write, response_deserializer=parse)
            async for _ in ask(iter([request])):
                pass
        elif method.server_streaming:
            async for _ in opened.unary_stream(path, request_serializer=write, response_deserializer=parse)(request):
                pass
        else:
            await opened.unary_unary(path, request_serializer=write, response_deserializer=parse)(request)
    except grpc.aio.AioRpcError as error:
        return error.code().name, error.details() or ""
    return "OK", ""


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_nul_in_any_text_of_any_rpc_is_an_invalid_argument(method: MethodDescriptor) -> None:
    empty = GetMessageClass(method.input_type)()
    async with serving(method) as opened:
        assert await code_of(opened, method, empty) == ("OK", "")
        for request in with_nul(empty):
            code, text = await code_of(opened, method, request)
            assert code == "INVALID_ARGUMENT"
            assert text.endswith("has a NUL character")


async def test_a_compressed_request_is_refused_before_it_is_inflated() -> None:
    method = ingestion_service_pb2.DESCRIPTOR.services_by_name["IngestionService"].methods_by_name["TryFeeds"]
    request = ingestion_service_pb2.TryFeedsRequest()
    request.messages.add(payload=bytes(1024 * 1024))
    async with serving(method) as opened:
        ask = opened.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=bytes,
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(request, compression=grpc.Compression.Gzip)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_zeros_that_are_no_text_pass() -> None:
    method = ingestion_service_pb2.DESCRIPTOR.services_by_name["IngestionService"].methods_by_name["TryFeeds"]
    request = ingestion_service_pb2.TryFeedsRequest(feeds="[a]")
    request.messages.add(payload=b"MSH\0")
    async with serving(method) as opened:
        assert await code_of(opened, method, request) == ("OK", "")


def test_every_rpc_is_asked() -> None:
    assert {method.containing_service.name for method in METHODS} >= {"ImagingService", "MemoryService"}
    assert imaging_service_pb2.DESCRIPTOR.services_by_name["ImagingService"].methods[0] in METHODS
