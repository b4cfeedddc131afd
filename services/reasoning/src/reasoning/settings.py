"""What this service is told. The only place that reads the environment."""

from typing import Annotated

from consult import Chooser
from consult.visits import title
from knowledge.terms import Urgency
from longitude.reasoning.v1.assessment_pb2 import FORM_SUMMARY
from pydantic import AfterValidator, Field, FilePath
from servicekit.settings import Endpoint, ObjectStoreSettings, PostgresSettings, ServiceSettings


def known_specialty(name: str) -> str:
    """UnknownSpecialtyError, which says those that are known."""
    if name:
        title(FORM_SUMMARY, name)
    return name


class Settings(PostgresSettings, ObjectStoreSettings, ServiceSettings):
    """LONGITUDE_MEMORY, LONGITUDE_TRITON, LONGITUDE_TOKENIZER the rows of knowledge and the bounds of an episode."""

    # gRPC of the memory service.
    memory: Endpoint
    # gRPC of the Triton that serves `reasoner`.
    triton: Endpoint
    # tokenizer.json of the reasoner.
    tokenizer: FilePath
    # Bucket of the episodes, which this service alone writes.
    episodes_bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] = "reasoning-episodes"
    # Episodes, and checks of texts, that run at the same time; more are answered RESOURCE_EXHAUSTED.
    episodes: Annotated[int, Field(ge=1, le=64)] = 4
    # Longest time from question to assessment, in seconds.
    episode_seconds: Annotated[float, Field(gt=0, le=3600)] = 180.0
    # Longest time for one answer of the model, in seconds.
    generation_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    # Tokens of the record that one agent sees.
    context_tokens: Annotated[int, Field(ge=100, le=100_000)] = 700
    # Who chooses what stands in front of an answer where the caller does not say.
    chooser: Chooser = Chooser.RULES
    # Whether a review needs the signature of its person, whose key the issuer certifies. False for an issuer that does
    # not: then a review names who asked, and proves it to nobody else.
    signed_reviews: bool = True
    # A hospital's rows of medical knowledge (TOML), laid over those of the package; none without it.
    knowledge_overlay: FilePath | None = None
    # Tokens of the one sentence that the model may write in its own words, which the gate then judges; 0: none.
    prose_tokens: Annotated[int, Field(ge=0, le=60)] = 40
    # Workers that look at records for dangers: one reads while the other judges.
    concern_workers: Annotated[int, Field(ge=0, le=16)] = 2
    # Briefs and summaries that are written before they are asked for, at the same time; 0: none by this process.
    preparation_workers: Annotated[int, Field(ge=0, le=16)] = 1
    # Hours before a planned visit or an appointment from which its brief is ready.
    preparation_hours: Annotated[float, Field(ge=0, le=720)] = 24.0
    # The specialty whose summary a discharge from a stay is written as; empty: none is.
    discharge_summary: Annotated[str, AfterValidator(known_specialty)] = "general-practice"
    # MLLP of another system that is told of concerns (ORU^R01); none without it.
    concern_receiver: Endpoint | None = None
    # Its application and facility (MSH-5, MSH-6).
    concern_receiver_application: Annotated[str, Field(max_length=180)] = ""
    concern_receiver_facility: Annotated[str, Field(max_length=180)] = ""
    # The least urgency that it is told of, and whether it is told what rests on facts of a sensitive category.
    concern_receiver_urgency: Urgency = Urgency.IMPORTANT
    concern_receiver_sensitive: bool = False
    # Authority of its certificate (PEM): MLLP over TLS; plain text without it.
    concern_receiver_authority: FilePath | None = None
    # Causes that may interrupt on account of one patient and day; what comes after them is listed.
    concern_interruptions: Annotated[int, Field(ge=0, le=1000)] = 3
