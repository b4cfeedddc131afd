"""Typed clients of the gRPC services. Answers are the messages of `longitude.*.v1`; failures are `ClientError`s."""

from client.api.auditing import AuditingClient
from client.api.imaging import ImagingClient
from client.api.ingestion import IngestionClient
from client.api.learning import LearningClient
from client.api.memory import MemoryClient
from client.api.reasoning import ReasoningClient

__all__ = ["AuditingClient", "ImagingClient", "IngestionClient", "LearningClient", "MemoryClient", "ReasoningClient"]
