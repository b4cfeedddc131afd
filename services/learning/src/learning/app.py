"""The map of learning.

episode-closed, assessment-reviewed -> consent? -> PostgreSQL and objects; else a count
SetConsent -> PostgreSQL -> consent-changed; what was kept is deleted
StartJob -> PostgreSQL -> a trainer (`python -m learning.train`, a child of this process or a Kubernetes Job)
     -> candidate-trained
Promote, RollBack -> PostgreSQL -> version-promoted, version-refused, version-rolled-back
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from contracts.topics import ASSESSMENT_REVIEWED, EPISODE_CLOSED
from eventbus import EventBus, Outbox
from longitude.learning.v1 import learning_service_pb2
from longitude.learning.v1.learning_service_pb2_grpc import add_LearningServiceServicer_to_server
from servicekit import Process
from servicekit.keys import pseudonym_keys
from servicekit.objects import open_objects

from learning.adapters.objects import Objects
from learning.adapters.postgres import open_store
from learning.flows.parts import Parts
from learning.flows.sweeping import keep_sweeping
from learning.flows.training import keep_training
from learning.handlers import on_assessment_reviewed, on_episode_closed
from learning.rpc import Rpc
from learning.settings import Settings


@asynccontextmanager
async def app(settings: Settings, process: Process) -> AsyncIterator[None]:
    """Everything is up when this yields."""
    key, *_ = pseudonym_keys(settings.pseudonym_key_file)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(str(settings.postgres)))
        buckets = {name: open_objects(settings, name) for name in (settings.episodes_bucket, settings.versions_bucket)}
        objects = Objects(store, buckets)
        bus = EventBus("learning", settings.kafka)
        outbox = Outbox(store.connection, bus.publish)
        parts = Parts(store, objects, outbox, settings.episodes_bucket, key, asyncio.Event(), asyncio.Event())
        bus.subscribe(EPISODE_CLOSED, partial(on_episode_closed, parts=parts))
        bus.subscribe(ASSESSMENT_REVIEWED, partial(on_assessment_reviewed, parts=parts))
        service = (add_LearningServiceServicer_to_server, Rpc(parts), learning_service_pb2.DESCRIPTOR)
        await stack.enter_async_context(process.grpc_server(settings.grpc_listen, [service]))
        await stack.enter_async_context(bus.running(process))
        process.spawn(outbox.run(), "outbox")
        process.spawn(keep_sweeping(objects, settings.retention, parts.sweep), "sweep")
        if settings.trainer == "local":
            process.spawn(keep_training(store, parts.jobs), "train")
        process.ready_when("postgres", store.ping)
        process.works_without("objects", objects.ping)
        yield
