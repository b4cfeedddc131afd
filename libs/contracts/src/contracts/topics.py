"""Every event topic, named once, with the message it carries.

Names are `<owner>.<event-kebab>.v<N>`. Dead letters belong to the consumer: `dlq.<consumer>.<topic>`.
What a broker is told of each stands in the manifest of its owner; a test holds the two together.
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from longitude.auditing.v1.events_pb2 import CheckpointPublished
from longitude.imaging.v1.events_pb2 import DocumentRead, StudyAnalysed
from longitude.imaging.v1.events_pb2 import RecordRead as ImagingRecordRead
from longitude.ingestion.v1.events_pb2 import (
    DocumentReceived,
    MessageReceived,
    MessageRejected,
    MessageReread,
    RereadingFinished,
    RereadingStarted,
    StudyReceived,
)
from longitude.learning.v1.events_pb2 import (
    CandidateTrained,
    ConsentChanged,
    VersionPromoted,
    VersionRefused,
    VersionRolledBack,
)
from longitude.memory.v1.events_pb2 import (
    EvidenceApproved,
    EvidenceLoaded,
    EvidenceReleased,
    EvidenceWithdrawn,
    OpeningEnded,
    OpeningReviewed,
    RecordOpened,
    RecordRead,
    RecordRebuilt,
    RecordUpdated,
)
from longitude.reasoning.v1.concern_pb2 import ConcernActed, ConcernChanged, ConcernOpened, ConcernResolved
from longitude.reasoning.v1.events_pb2 import AssessmentDrafted, AssessmentReviewed, EpisodeClosed
from longitude.reasoning.v1.events_pb2 import RecordRead as ReasoningRecordRead

M = TypeVar("M", bound=Message)


def owner_of(topic: str) -> str:
    """The one service that may publish it: manifests that name another are refused (manifests.reading)."""
    return topic.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Topic(Generic[M]):
    """A Kafka topic and the one protobuf message its records carry."""

    name: str
    payload: type[M]

    @property
    def owner(self) -> str:
        """The service that publishes it."""
        return owner_of(self.name)

    @property
    def event_type(self) -> str:
        """CloudEvents `type`: the full protobuf name."""
        return self.payload.DESCRIPTOR.full_name


MESSAGE_RECEIVED = Topic("ingestion.message-received.v1", MessageReceived)
MESSAGE_REJECTED = Topic("ingestion.message-rejected.v1", MessageRejected)
STUDY_RECEIVED = Topic("ingestion.study-received.v1", StudyReceived)
DOCUMENT_RECEIVED = Topic("ingestion.document-received.v1", DocumentReceived)
REREADING_STARTED = Topic("ingestion.rereading-started.v1", RereadingStarted)
MESSAGE_REREAD = Topic("ingestion.message-reread.v1", MessageReread)
REREADING_FINISHED = Topic("ingestion.rereading-finished.v1", RereadingFinished)
STUDY_ANALYSED = Topic("imaging.study-analysed.v1", StudyAnalysed)
DOCUMENT_READ = Topic("imaging.document-read.v1", DocumentRead)
IMAGING_RECORD_READ = Topic("imaging.record-read.v1", ImagingRecordRead)
RECORD_UPDATED = Topic("memory.record-updated.v1", RecordUpdated)
RECORD_REBUILT = Topic("memory.record-rebuilt.v1", RecordRebuilt)
RECORD_READ = Topic("memory.record-read.v1", RecordRead)
RECORD_OPENED = Topic("memory.record-opened.v1", RecordOpened)
OPENING_ENDED = Topic("memory.opening-ended.v1", OpeningEnded)
OPENING_REVIEWED = Topic("memory.opening-reviewed.v1", OpeningReviewed)
EVIDENCE_LOADED = Topic("memory.evidence-loaded.v1", EvidenceLoaded)
EVIDENCE_APPROVED = Topic("memory.evidence-approved.v1", EvidenceApproved)
EVIDENCE_RELEASED = Topic("memory.evidence-released.v1", EvidenceReleased)
EVIDENCE_WITHDRAWN = Topic("memory.evidence-withdrawn.v1", EvidenceWithdrawn)
ASSESSMENT_DRAFTED = Topic("reasoning.assessment-drafted.v1", AssessmentDrafted)
EPISODE_CLOSED = Topic("reasoning.episode-closed.v1", EpisodeClosed)
ASSESSMENT_REVIEWED = Topic("reasoning.assessment-reviewed.v1", AssessmentReviewed)
CONCERN_OPENED = Topic("reasoning.concern-opened.v1", ConcernOpened)
CONCERN_CHANGED = Topic("reasoning.concern-changed.v1", ConcernChanged)
CONCERN_RESOLVED = Topic("reasoning.concern-resolved.v1", ConcernResolved)
CONCERN_ACTED = Topic("reasoning.concern-acted.v1", ConcernActed)
REASONING_RECORD_READ = Topic("reasoning.record-read.v1", ReasoningRecordRead)
CONSENT_CHANGED = Topic("learning.consent-changed.v1", ConsentChanged)
CANDIDATE_TRAINED = Topic("learning.candidate-trained.v1", CandidateTrained)
VERSION_PROMOTED = Topic("learning.version-promoted.v1", VersionPromoted)
VERSION_REFUSED = Topic("learning.version-refused.v1", VersionRefused)
VERSION_ROLLED_BACK = Topic("learning.version-rolled-back.v1", VersionRolledBack)
CHECKPOINT_PUBLISHED = Topic("auditing.checkpoint-published.v1", CheckpointPublished)

TOPICS: tuple[Topic[Any], ...] = (
    MESSAGE_RECEIVED,
    MESSAGE_REJECTED,
    STUDY_RECEIVED,
    DOCUMENT_RECEIVED,
    REREADING_STARTED,
    MESSAGE_REREAD,
    REREADING_FINISHED,
    STUDY_ANALYSED,
    DOCUMENT_READ,
    IMAGING_RECORD_READ,
    RECORD_UPDATED,
    RECORD_REBUILT,
    RECORD_READ,
    RECORD_OPENED,
    OPENING_ENDED,
    OPENING_REVIEWED,
    EVIDENCE_LOADED,
    EVIDENCE_APPROVED,
    EVIDENCE_RELEASED,
    EVIDENCE_WITHDRAWN,
    ASSESSMENT_DRAFTED,
    EPISODE_CLOSED,
    ASSESSMENT_REVIEWED,
    CONCERN_OPENED,
    CONCERN_CHANGED,
    CONCERN_RESOLVED,
    CONCERN_ACTED,
    REASONING_RECORD_READ,
    CONSENT_CHANGED,
    CANDIDATE_TRAINED,
    VERSION_PROMOTED,
    VERSION_REFUSED,
    VERSION_ROLLED_BACK,
    CHECKPOINT_PUBLISHED,
)


def dead_letter_topic(consumer: str, topic: Topic[Any]) -> str:
    """Where `consumer` puts the records of `topic` that it cannot handle."""
    return f"dlq.{consumer}.{topic.name}"
