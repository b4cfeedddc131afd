"""The identity of an assessment and of its episode: both follow from a request id."""

import uuid
from dataclasses import dataclass

from contracts.identifiers import event_id


@dataclass(frozen=True, slots=True)
class Identity:
    """Ids that follow from a request id; `seed` is the model's."""

    assessment_id: str
    episode_id: str

    @classmethod
    def of(cls, request_id: str) -> "Identity":
        """The same request id always gives the same assessment; an empty one a new one."""
        assessment_id = event_id("assessment", request_id or str(uuid.uuid4()))
        return cls(assessment_id, event_id("episode", assessment_id))

    @property
    def seed(self) -> int:
        return uuid.UUID(self.episode_id).int & 0x7FFFFFFF


def is_assessment_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
