"""The map of ingestion: MLLP, DICOM and a few commands in, topics and one bucket out.

A rereading reads message-received again and publishes message-reread.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from eventbus import EventBus
from longitude.ingestion.v1 import ingestion_service_pb2
from longitude.ingestion.v1.ingestion_service_pb2_grpc import add_IngestionServiceServicer_to_server
from servicekit import Process
from servicekit.bounded import Bounds
from servicekit.objects import open_objects

from ingestion.adapters import dicom, mllp, tls
from ingestion.adapters.doors import Quotas
from ingestion.adapters.objects import BUCKET, RawStore
from ingestion.adapters.reader import Reader
from ingestion.domain.control_ids import ControlIds
from ingestion.domain.dicom import HeaderBounds, ReceivedInstance
from ingestion.domain.mllp import Received
from ingestion.flows.rereading import Rereading
from ingestion.flows.turns import Turns
from ingestion.handlers import Intake, on_frame, on_instance
from ingestion.rpc import Rpc
from ingestion.settings import Settings


@asynccontextmanager
async def app(settings: Settings, process: Process) -> AsyncIterator[None]:
    """Everything is up when it yields."""
    objects = open_objects(settings, BUCKET)
    bus = EventBus("ingestion", settings.kafka)
    store, feed = RawStore(objects), settings.feed()
    rereading = Rereading(settings.kafka, bus.publish, store, feed)

    async def handle_frame(received: Received, received_at: datetime) -> list[bytes]:
        return await on_frame(received, received_at, intake)

    async def handle_instance(instance: ReceivedInstance) -> tuple[int, str]:
        return await on_instance(instance, datetime.now(UTC), intake)

    async with AsyncExitStack() as stack:
        reading = Reader.running(feed, _reading(settings), settings.reading_processes, settings.reading_here_bytes)
        reader = await stack.enter_async_context(reading)
        intake = Intake(
            bus.publish, store, reader, settings.acknowledgements, Turns(), ControlIds(), _headers(settings)
        )
        service = (add_IngestionServiceServicer_to_server, Rpc(intake, rereading), ingestion_service_pb2.DESCRIPTOR)
        await stack.enter_async_context(bus.running(process))
        # Ready as soon as it listens: without Kafka and without objects it still answers every sender.
        process.works_without("objects", objects.ping)
        await stack.enter_async_context(process.grpc_server(settings.grpc_listen, [service]))
        secured = tls.server_context(
            settings.mllp_tls_certificate, settings.mllp_tls_key, settings.mllp_tls_client_authority
        )
        listener = mllp.MllpListener(handle_frame, _mllp_limits(settings))
        await stack.enter_async_context(listener.listening(*_address(settings.mllp_listen), secured))
        storage = dicom.DicomListener(handle_instance, _dicom_limits(settings))
        await stack.enter_async_context(storage.listening(*_address(settings.dicom_listen)))
        process.spawn(rereading.run(), "rereading")
        yield


def _reading(settings: Settings) -> Bounds:
    return Bounds(
        settings.reading_memory_bytes,
        settings.reading_cpu_seconds,
        settings.reading_wall_seconds,
        settings.reading_answer_bytes,
    )


def _headers(settings: Settings) -> HeaderBounds:
    return HeaderBounds(header_bytes=settings.dicom_header_bytes, inflated_bytes=settings.dicom_inflated_bytes)


def _mllp_limits(settings: Settings) -> mllp.ConnectionLimits:
    return mllp.ConnectionLimits(
        frame_bytes=settings.mllp_frame_bytes,
        gap=settings.mllp_gap_seconds,
        frame=settings.mllp_frame_seconds,
        idle=settings.mllp_idle_seconds,
        answer=settings.mllp_answer_seconds,
        quotas=Quotas(
            settings.mllp_connections,
            settings.mllp_peer_connections,
            settings.mllp_in_flight_bytes,
            settings.mllp_peer_in_flight_bytes,
            settings.mllp_crowded_idle_seconds,
        ),
        pipelined=settings.mllp_pipelined,
        in_flight_bytes=settings.mllp_in_flight_bytes,
        peer_in_flight_bytes=settings.mllp_peer_in_flight_bytes,
    )


def _dicom_limits(settings: Settings) -> dicom.AssociationLimits:
    return dicom.AssociationLimits(
        instance_bytes=settings.dicom_instance_bytes,
        quotas=Quotas(
            settings.dicom_associations,
            settings.dicom_peer_associations,
            settings.dicom_in_flight_bytes,
            settings.dicom_peer_in_flight_bytes,
            settings.dicom_crowded_idle_seconds,
        ),
        network=settings.dicom_network_seconds,
        handling=settings.dicom_handling_seconds,
    )


def _address(endpoint: str) -> tuple[str, int]:
    host, _, port = endpoint.rpartition(":")
    return host, int(port)
