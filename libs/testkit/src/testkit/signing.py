"""What is signed: events, by their topics' owners with their own certificates, and reviews, by a person."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from client.people import sign
from contracts.signatures import Signer
from contracts.tls import Tls
from eventbus import Outgoing
from eventbus.producer import Producer
from longitude.reasoning.v1.reasoning_service_pb2 import GetAssessmentRequest, ReviewRequest
from native_stack import authority

if TYPE_CHECKING:
    from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceAsyncStub

Publish = Callable[[Outgoing], Awaitable[None]]


def identity_of(name: str) -> dict[str, str]:
    """The variables of a process's certificate, from the authority that the tests trust; made where there is none."""
    folder = Path(os.environ["LONGITUDE_TLS_AUTHORITY"]).parent
    authority.issue(folder, [name])
    return authority.settings(folder, name)


def signer_of(name: str) -> Signer | None:
    """Signs as that process; None where plain text is spoken."""
    return Signer.of(identity_of(name)) if Tls.of(os.environ) else None


@asynccontextmanager
async def publishing(bootstrap: str) -> AsyncIterator[Publish]:
    """Publishes events of any topic while inside; returns when they are on every in-sync replica."""
    async with AsyncExitStack() as stack:
        producers: dict[str, Producer] = {}

        async def publish(outgoing: Outgoing) -> None:
            owner = outgoing.topic.owner
            if owner not in producers:
                producer = Producer(f"test-{owner}", bootstrap, signer_of(owner))
                await stack.enter_async_context(producer.running())
                producers[owner] = producer
            await producers[owner].publish(outgoing)

        yield publish


async def sign_review(reasoning: "ReasoningServiceAsyncStub", request: ReviewRequest) -> ReviewRequest:
    """The request with the signature of who works at this machine, over the assessment as the service has stored it."""
    asked = GetAssessmentRequest(assessment_id=request.assessment_id)
    sign(os.environ, request, (await reasoning.GetAssessment(asked)).assessment_bytes)
    return request
