"""The map of the memory service.

message-received, study-analysed, document-read -> PostgreSQL -> record-updated
message-reread, rereading-finished -> another edition in PostgreSQL -> record-rebuilt
texts and evidence -> index queue -> embedder on Triton -> Qdrant
MemoryService (gRPC) reads both; each look at a patient -> PostgreSQL -> record-read
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from contracts.topics import (
    DOCUMENT_READ,
    MESSAGE_RECEIVED,
    MESSAGE_REREAD,
    RECORD_READ,
    REREADING_FINISHED,
    STUDY_ANALYSED,
)
from eventbus import EventBus, Outbox
from longitude.memory.v1 import memory_service_pb2
from longitude.memory.v1.memory_service_pb2_grpc import add_MemoryServiceServicer_to_server
from servicekit import Process
from servicekit.looks import Looks
from servicekit.triton import TritonClient

from memory.adapters import postgres, tokenizer
from memory.adapters.qdrant_edge import QdrantEdge
from memory.adapters.qdrant_server import QdrantServer
from memory.adapters.triton import Embedder
from memory.domain.vectors import NOTES, VectorIndex
from memory.flows import library
from memory.flows.indexer import Indexer
from memory.flows.openings import Openings
from memory.flows.rebuild import Rebuild
from memory.flows.search import Search
from memory.handlers import (
    on_documents_read,
    on_messages_received,
    on_messages_reread,
    on_rereadings_finished,
    on_studies_analysed,
)
from memory.rpc import Rpc
from memory.settings import Settings


@asynccontextmanager
async def app(settings: Settings, process: Process) -> AsyncIterator[None]:
    """Everything is up when it yields."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(postgres.open_store(str(settings.postgres)))
        triton = await stack.enter_async_context(TritonClient.connect(settings.triton))
        index = await stack.enter_async_context(
            vector_index(settings.vectors, settings.qdrant_api_key.get_secret_value())
        )
        embedder = Embedder(triton)

        bus = EventBus("memory", settings.kafka)
        bus.subscribe_batches(MESSAGE_RECEIVED, partial(on_messages_received, store=store))
        bus.subscribe_batches(STUDY_ANALYSED, partial(on_studies_analysed, store=store))
        bus.subscribe_batches(DOCUMENT_READ, partial(on_documents_read, store=store))
        bus.subscribe_batches(MESSAGE_REREAD, partial(on_messages_reread, store=store))
        bus.subscribe_batches(REREADING_FINISHED, partial(on_rereadings_finished, store=store))

        outbox = Outbox(store.connection, bus.publish)
        looks = Looks(store.connection, bus.publish_together, RECORD_READ)
        shelf = library.Library(store, outbox, library.trusted(settings.publishers))
        count = tokenizer.counter(settings.tokenizer)
        rpc = Rpc(store, Search(store, embedder, index), shelf, Openings(store, outbox), count)
        service = (add_MemoryServiceServicer_to_server, rpc, memory_service_pb2.DESCRIPTOR)

        await shelf.stock()
        await stack.enter_async_context(bus.running(process))
        await stack.enter_async_context(process.grpc_server(settings.grpc_listen, [service], looks))
        process.spawn(outbox.run(), "outbox")
        process.spawn(Rebuild(store, outbox).run(), "rebuild")
        process.spawn(Indexer(store, embedder, index).run(), "indexer")
        process.ready_when("postgres", store.ping)
        process.works_without("triton", embedder.ready)
        process.works_without("qdrant", partial(index.count, NOTES))
        yield


def vector_index(where: str, api_key: str = "") -> AbstractAsyncContextManager[VectorIndex]:
    """`https://...`: a Qdrant server; `edge:/folder`: its engine in this process."""
    scheme, _, place = where.partition(":")
    return QdrantEdge.open(Path(place)) if scheme == "edge" else QdrantServer.connect(where, api_key)
