"""Asks the question and signs the answer."""

from dataclasses import dataclass

from client.api import ReasoningClient
from longitude.reasoning.v1 import assessment_pb2 as pb
from longitude.reasoning.v1.reasoning_service_pb2 import Draft, Progress, ReviewResponse
from longitude.record.v1.fact_pb2 import PatientKey

from demo.stages import Say

QUESTION = "What has changed, and does the medication still fit?"
REVIEWER = "DEMO-PHYSICIAN"


class NoAnswerError(Exception):
    """The episode ended without an assessment."""


@dataclass
class Effort:
    """How an episode goes: finished actions, tokens of these, and tokens of the answer being written."""

    steps: int = 0
    tokens: int = 0
    writing: int = 0

    def take(self, progress: Progress) -> None:
        """A report without an action is one of an answer under way."""
        if progress.action:
            self.steps, self.tokens, self.writing = self.steps + 1, self.tokens + progress.tokens, 0
        else:
            self.writing = progress.tokens


async def ask(reasoning: ReasoningClient, patient: PatientKey, say: Say) -> pb.Assessment:
    """A new assessment, in which the model takes part."""
    effort = Effort()
    async for item in reasoning.ask(patient, QUESTION, deliberate=True):
        if isinstance(item, pb.Assessment):
            released = sum(statement.released for statement in item.statements)
            say(f"{released} of {len(item.statements)} sentences released, {effort.tokens} tokens written")
            return item
        if isinstance(item, Draft):
            say(f"{len(item.statements)} sentences stand in front")
            continue
        effort.take(item)
        say(f"{item.role} {item.action}, {effort.tokens + effort.writing} tokens")
    raise NoAnswerError("reasoning ended the stream without an assessment")


async def accept(reasoning: ReasoningClient, assessment: pb.Assessment) -> ReviewResponse:
    """The physician accepts the whole draft."""
    return await reasoning.review(assessment.assessment_id, REVIEWER, pb.REVIEW_DECISION_ACCEPTED)
