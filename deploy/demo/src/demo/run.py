"""The demo from the first message to the proof, as one list of stages."""

from collections import Counter
from contextlib import AsyncExitStack

from client.api import AuditingClient, ImagingClient, MemoryClient, ReasoningClient
from client.stack import Stack
from longitude.record.v1.fact_pb2 import PatientKey

from demo import access, deciding, ordering, proving, watching
from demo.outcome import Outcome, contents
from demo.sending import film_uid, send_story, story_files
from demo.stages import Stages
from demo.waiting import Clients, awaited, read_film, read_record, until_visible

PATIENT = PatientKey(id="NW-204417", authority="NORTHWEST")


async def tell(stack: Stack, stages: Stages) -> Outcome:
    """Run every stage; ClientError, NotSettledError or NoAnswerError when one cannot be done."""
    async with AsyncExitStack() as connections:
        return await _stages(stack, stages, await _connect(stack, connections))


async def _connect(stack: Stack, connections: AsyncExitStack) -> Clients:
    return Clients(
        memory=await connections.enter_async_context(MemoryClient.connect(stack.endpoint("memory"))),
        imaging=await connections.enter_async_context(ImagingClient.connect(stack.endpoint("imaging"))),
        reasoning=await connections.enter_async_context(ReasoningClient.connect(stack.endpoint("reasoning"))),
        auditing=await connections.enter_async_context(AuditingClient.connect(stack.endpoint("auditing"))),
    )


async def _stages(stack: Stack, stages: Stages, clients: Clients) -> Outcome:
    film = film_uid()
    before, film_before = await read_record(clients.memory, PATIENT), await read_film(clients.imaging, film)
    with stages.stage("Send two years of messages") as say:
        acknowledgements = await send_story(stack, say)
    with stages.stage("Until all of it is visible") as say:
        seen = await until_visible(clients, PATIENT, film, say)
    with stages.stage("Another patient, unasked") as say:
        watched = await watching.watch(stack, clients.reasoning, say)
    with stages.stage("Ask") as say:
        assessment = await deciding.ask(clients.reasoning, PATIENT, say)
    with stages.stage("Review: accept") as say:
        review = await deciding.accept(clients.reasoning, assessment)
        say(f"signed by {deciding.REVIEWER}")
    with stages.stage("Order what is dangerous") as say:
        cards = await ordering.sign(stack, PATIENT, say)
    with stages.stage("Who may look, and who did") as say:
        seen_by = await access.look(stack, clients.auditing, say)
    with stages.stage("Verify the whole log") as say:
        report = await proving.verify(stack, clients.auditing, say)
    with stages.stage("Prove the review") as say:
        proof = await proving.prove(stack, clients.auditing, review.event_id, say)
    return Outcome(
        acknowledgements=acknowledgements,
        sent=len(story_files()),
        before=contents(before) if before else Counter(),
        told_before=not awaited(before, film_before),
        record=seen.record,
        study=seen.study,
        watched=watched,
        assessment=assessment,
        review_id=review.review_id,
        cards=cards,
        access=seen_by,
        proof=proof,
        report=report,
        seconds=stages.seconds,
    )
