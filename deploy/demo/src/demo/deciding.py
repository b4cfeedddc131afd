"""Asks the question and signs the answer."""

from dataclasses import dataclass

from client.api import ReasoningClient
from longitude.ingestion.v1.clinical_fact_pb2 import PatientKey
from longitude.reasoning.v1 import assessment_pb2 as pb
from longitude.reasoning.v1.reasoning_service_pb2 import ReviewResponse

from demo.stages import Say

QUESTION = "What has changed, and does the medication still fit?"
REVIEWER = "DEMO-PHYSICIAN"


class NoAnswerError(Exception):
    """The episode ended without an assessment."""


@dataclass
class Effort:
    """How an episode goes: the roles at work and the tokens they wrote."""

    tokens: int = 0
    steps: int = 0


async def ask(reasoning: ReasoningClient, patient: PatientKey, say: Say) -> pb.Assessment:
    """A new assessment."""
    effort = Effort()
    async for item in reasoning.ask(patient, QUESTION):
        if isinstance(item, pb.Assessment):
            released = sum(statement.released for statement in item.statements)
            say(
                f"{released} of {len(item.statements)} sentences released, {effort.steps} steps, {effort.tokens} tokens"
            )
            return item
        effort.steps += 1
        effort.tokens = max(effort.tokens, item.tokens)
        say(f"{item.role} {item.action}, {item.tokens} tokens")
    raise NoAnswerError("reasoning ended the stream without an assessment")


async def accept(reasoning: ReasoningClient, assessment: pb.Assessment) -> ReviewResponse:
    """The physician accepts the whole draft."""
    return await reasoning.review(assessment.assessment_id, REVIEWER, pb.REVIEW_DECISION_ACCEPTED)
