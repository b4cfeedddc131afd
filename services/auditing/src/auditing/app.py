"""The map of auditing: what it reads, where it writes, what it answers.

It reads every topic but its own: a checkpoint that became a leaf would call for another checkpoint, for ever.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from contracts.signatures import Verifier
from contracts.topics import CHECKPOINT_PUBLISHED, TOPICS
from eventbus import EventBus, Outbox
from longitude.auditing.v1 import auditing_service_pb2
from longitude.auditing.v1.auditing_service_pb2_grpc import add_AuditingServiceServicer_to_server
from servicekit import Process, migrated, postgres
from servicekit.keys import pseudonym_keys
from servicekit.objects import open_objects

from auditing.adapters.kafka import open_reader
from auditing.adapters.keys import signing_key
from auditing.adapters.objects import TileWriter
from auditing.adapters.postgres import Log
from auditing.adapters.postgres_reads import LogReader
from auditing.adapters.witnesses import Witnesses
from auditing.flows.checkpoints import publish_checkpoints
from auditing.flows.reading import read_records
from auditing.handlers import on_bucket_opened, on_checkpoint_due, on_records
from auditing.rpc import Rpc
from auditing.settings import Settings

log = logging.getLogger("auditing")

READ_TOPICS = tuple(topic.name for topic in TOPICS if topic is not CHECKPOINT_PUBLISHED)


@asynccontextmanager
async def app(settings: Settings, process: Process) -> AsyncIterator[None]:
    """Everything is up when this yields."""
    signer = signing_key(settings.signing_key_file, settings.log_origin)
    pseudonyms = pseudonym_keys(settings.pseudonym_key_file)
    log.info("verifier key: %s", signer.verifier_key)
    await migrated(str(settings.postgres), "auditing", "auditing")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(postgres.open_pool(str(settings.postgres), "auditing"))
        records_log, reader = Log(pool), LogReader(pool)
        objects = open_objects(settings, settings.log_bucket)
        bus = EventBus("auditing", settings.kafka)
        await stack.enter_async_context(bus.running(process))
        reading = open_reader(settings.kafka, READ_TOPICS, records_log.positions, Verifier.of())
        records = await stack.enter_async_context(reading)
        rpc = Rpc(records_log, reader, records, signer, pseudonyms)
        service = (add_AuditingServiceServicer_to_server, rpc, auditing_service_pb2.DESCRIPTOR)
        await stack.enter_async_context(process.grpc_server(settings.grpc_listen, [service]))
        write = partial(on_records, log=records_log, pseudonym_key=pseudonyms[0])
        outbox = Outbox(pool.connection, bus.publish)
        tiles = TileWriter(objects, reader)
        witnesses = Witnesses(settings.witnesses.split(), reader.growth)
        publish = partial(
            on_checkpoint_due, log=records_log, tiles=tiles, outbox=outbox, signer=signer, witnesses=witnesses
        )
        fill = partial(on_bucket_opened, log=records_log, tiles=tiles)
        due = asyncio.Event()
        process.spawn(read_records(records, write, due, settings.checkpoint_leaves), "read")
        process.spawn(publish_checkpoints(fill, publish, due, settings.checkpoint_seconds), "checkpoints")
        process.spawn(outbox.run(), "outbox")
        process.ready_when("checkpoint", rpc.ping)
        process.works_without("objects", objects.ping)
        yield
