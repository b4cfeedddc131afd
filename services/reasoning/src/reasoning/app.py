"""The map of the reasoning service.

Ask: memory (gRPC) -> rules -> harness with the reasoner on Triton -> gate -> PostgreSQL and objects
     -> assessment-drafted, episode-closed
Review: PostgreSQL -> assessment-reviewed
Check, CheckStream: memory (gRPC) -> verifier
Advise: memory (gRPC) -> rules, rows -> gate
each look at a patient -> PostgreSQL -> record-read
record-updated, record-rebuilt -> PostgreSQL -> watch: memory (gRPC) -> rules -> PostgreSQL
     -> concern-opened, concern-changed, concern-resolved
record-updated, record-rebuilt -> PostgreSQL -> prepare: memory (gRPC) -> rules -> gate -> PostgreSQL; Ask opens it
ListPrepared: PostgreSQL; ListConcerns: PostgreSQL and memory; ActOnConcern: PostgreSQL -> concern-acted
the watch -> PostgreSQL -> another system (ORU^R01 over MLLP), where one is set
evidence-withdrawn -> PostgreSQL; whatever cites it says so when it is read
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

from consult import Budget
from consult.surveillance import URGENCIES
from contracts.topics import (
    EVIDENCE_WITHDRAWN,
    REASONING_RECORD_READ,
    RECORD_REBUILT,
    RECORD_UPDATED,
)
from eventbus import EventBus, Outbox
from harness import Tokenizer
from longitude.reasoning.v1 import reasoning_service_pb2
from longitude.reasoning.v1.reasoning_service_pb2_grpc import add_ReasoningServiceServicer_to_server
from servicekit import Process
from servicekit.grpc import channel
from servicekit.looks import Looks
from servicekit.objects import open_objects
from servicekit.tokens import Verifier
from servicekit.triton import TritonClient

from reasoning.adapters import postgres
from reasoning.adapters.knowledge import rows
from reasoning.adapters.memory import Memory
from reasoning.adapters.receiver import Receiver
from reasoning.adapters.signatures import Signatures
from reasoning.adapters.triton import Reasoner
from reasoning.adapters.version import version
from reasoning.domain.outward import Addressee
from reasoning.flows.outward import Teller
from reasoning.flows.parts import Parts
from reasoning.flows.preparing import Preparation
from reasoning.flows.runs import Runs
from reasoning.flows.watching import Watch
from reasoning.handlers import on_evidence_withdrawn, on_record_rebuilt, on_records_updated
from reasoning.rpc import Rpc
from reasoning.settings import Settings


@asynccontextmanager
async def app(settings: Settings, process: Process) -> AsyncIterator[None]:
    """Everything is up when it yields. Triton and memory need not be: a question is then answered UNAVAILABLE."""
    async with AsyncExitStack() as stack:
        # The watch, the preparation, and who tells another system.
        workers = settings.concern_workers + settings.preparation_workers + 1
        store = await stack.enter_async_context(postgres.open_store(str(settings.postgres), workers))
        triton = await stack.enter_async_context(TritonClient.connect(settings.triton))
        memory = await stack.enter_async_context(channel(settings.memory))
        objects = open_objects(settings, settings.episodes_bucket)

        bus = EventBus("reasoning", settings.kafka)
        outbox = Outbox(store.connection, bus.publish, bus.publish_together)
        knowledge = rows(settings.knowledge_overlay)
        tokenizer = Tokenizer.from_json(settings.tokenizer.read_text(encoding="utf-8"))
        reasoner = Reasoner(triton, settings.generation_seconds)
        parts = Parts(
            store=store,
            memory=Memory(memory),
            reasoner=reasoner,
            objects=objects,
            outbox=outbox,
            tokenizer=tokenizer,
            seconds=settings.episode_seconds,
            budget=Budget(settings.context_tokens, settings.prose_tokens),
            chooser=settings.chooser,
            signatures=Signatures(Verifier.of(settings)) if settings.signed_reviews else None,
            version=_version(settings, tokenizer),
            knowledge=knowledge,
        )
        lead = timedelta(hours=settings.preparation_hours)
        preparation = Preparation(parts, lead, settings.discharge_summary)
        watch = Watch(
            store,
            parts.memory,
            knowledge,
            outbox,
            settings.concern_interruptions,
            tells=bool(settings.concern_receiver),
        )
        bus.subscribe(EVIDENCE_WITHDRAWN, partial(on_evidence_withdrawn, store=store))
        rebuilt = partial(on_record_rebuilt, store=store, watch=watch, preparation=preparation)
        updated = partial(on_records_updated, store=store, watch=watch, preparation=preparation)
        bus.subscribe(RECORD_REBUILT, rebuilt)
        bus.subscribe_batches(RECORD_UPDATED, updated)
        await stack.enter_async_context(bus.running(process))
        looks = Looks(store.connection, bus.publish_together, REASONING_RECORD_READ)
        rpc = Rpc(parts, Runs(settings.episodes), settings.episodes)
        service = (add_ReasoningServiceServicer_to_server, rpc, reasoning_service_pb2.DESCRIPTOR)

        process.spawn(outbox.run(), "outbox")
        for number in range(settings.concern_workers):
            process.spawn(watch.run(), f"watch {number}")
        if settings.concern_receiver:
            receiver = Receiver(settings.concern_receiver, settings.concern_receiver_authority)
            stack.push_async_callback(receiver.close)
            to = Addressee(
                settings.concern_receiver_application,
                settings.concern_receiver_facility,
                URGENCIES[settings.concern_receiver_urgency],
                settings.concern_receiver_sensitive,
            )
            process.spawn(Teller(store, receiver, to).run(), "outward")
        await preparation.begin()
        for number in range(settings.preparation_workers):
            process.spawn(preparation.run(), f"preparation {number}")
        await stack.enter_async_context(process.grpc_server(settings.grpc_listen, [service], looks))
        process.ready_when("postgres", store.ping)
        process.works_without("objects", objects.ping)
        process.works_without("triton", reasoner.ready)
        yield


def _version(settings: Settings, tokenizer: Tokenizer) -> str:
    """Of what shapes a brief here."""
    overlay = settings.knowledge_overlay.read_text(encoding="utf-8") if settings.knowledge_overlay else ""
    return version(overlay, tokenizer.sha256, settings.discharge_summary, str(settings.preparation_hours))
