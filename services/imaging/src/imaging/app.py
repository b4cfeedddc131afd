"""The map of imaging: studies and documents in, analyses and readings out, networks asked on the way."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from zoneinfo import ZoneInfo

from contracts.topics import DOCUMENT_RECEIVED, IMAGING_RECORD_READ, STUDY_RECEIVED
from eventbus import EventBus
from longitude.imaging.v1 import imaging_service_pb2
from longitude.imaging.v1.imaging_service_pb2_grpc import add_ImagingServiceServicer_to_server
from servicekit import Process, migrated, postgres
from servicekit.looks import Looks
from servicekit.objects import open_objects
from servicekit.triton import TritonClient

from imaging.adapters.converter import Converter
from imaging.adapters.postgres import Store
from imaging.adapters.triton import Networks
from imaging.domain.document import Reader
from imaging.flows.outside import Outside
from imaging.handlers import on_document_received, on_study_received
from imaging.modalities import known
from imaging.rpc import Rpc
from imaging.settings import Settings

BUCKET = "imaging-analyses"


@asynccontextmanager
async def app(settings: Settings, process: Process) -> AsyncIterator[None]:
    """Everything is up when this yields."""
    await migrated(str(settings.postgres), "imaging", "imaging")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(postgres.open_pool(str(settings.postgres), "imaging"))
        store = Store(pool)
        modalities, triton = known(), await stack.enter_async_context(TritonClient.connect(settings.triton))
        networks = Networks(triton, [modality.network.model for modality in modalities])
        objects = open_objects(settings, BUCKET)
        reader = Reader(settings.least_confidence, ZoneInfo(settings.page_zone))
        decoding = Converter.running(settings.decoding, settings.decoding_processes, settings.largest_file_bytes)
        converter = await stack.enter_async_context(decoding)
        outside = Outside(store, objects, networks, converter, settings.largest_object)
        bus = EventBus("imaging", settings.kafka)
        bus.subscribe(STUDY_RECEIVED, partial(on_study_received, outside=outside, modalities=modalities), max_records=1)
        bus.subscribe(DOCUMENT_RECEIVED, partial(on_document_received, outside=outside, reader=reader), max_records=1)
        service = (add_ImagingServiceServicer_to_server, Rpc(store), imaging_service_pb2.DESCRIPTOR)
        looks = Looks(pool.connection, bus.publish_together, IMAGING_RECORD_READ)
        await stack.enter_async_context(process.grpc_server(settings.grpc_listen, [service], looks))
        await stack.enter_async_context(bus.running(process))
        process.ready_when("postgres", store.ping)
        process.works_without("objects", objects.ping)
        process.works_without("triton", networks.ready)
        yield
