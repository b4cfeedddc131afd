"""The events that tell of an assessment."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.identifiers import event_id
from contracts.topics import ASSESSMENT_DRAFTED, EPISODE_CLOSED, Topic
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.reasoning.v1.episode_pb2 import Episode
from longitude.reasoning.v1.events_pb2 import AssessmentDrafted, EpisodeClosed
from longitude.record.v1.object_pb2 import ObjectRef


@dataclass(frozen=True, slots=True)
class AssessmentEvent:
    """An event before it is given to the bus."""

    topic: Topic[AssessmentDrafted] | Topic[EpisodeClosed]
    id: str
    payload: AssessmentDrafted | EpisodeClosed


def events(assessment: Assessment, episode: Episode, reference: ObjectRef) -> Sequence[AssessmentEvent]:
    """AssessmentDrafted, then EpisodeClosed."""
    tokens = sum(len(step.turn.action_ids) for step in episode.steps if step.HasField("turn"))
    closed = EpisodeClosed(
        episode_id=assessment.episode_id,
        assessment_id=assessment.assessment_id,
        patient=assessment.patient,
        episode=reference,
        steps=len(episode.steps),
        tokens=tokens,
    )
    drafted_id = event_id("assessment-drafted", assessment.assessment_id)
    return [
        AssessmentEvent(ASSESSMENT_DRAFTED, drafted_id, AssessmentDrafted(assessment=assessment)),
        AssessmentEvent(EPISODE_CLOSED, event_id("episode-closed", assessment.episode_id), closed),
    ]
