"""OpenTelemetry spans around publishing and handling (semantic conventions for messaging, Kafka)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.propagate import extract, inject
from opentelemetry.trace import SpanKind

_tracer = trace.get_tracer("eventbus")


@contextmanager
def publishing(topic: str, headers: dict[str, str]) -> Iterator[None]:
    """A producer span; its context travels in the record's `traceparent` header."""
    attributes = {"messaging.system": "kafka", "messaging.destination.name": topic}
    with _tracer.start_as_current_span(f"publish {topic}", kind=SpanKind.PRODUCER, attributes=attributes):
        inject(headers)
        yield


@contextmanager
def handling(topic: str, consumer: str, headers: dict[str, str]) -> Iterator[None]:
    """A consumer span, child of the span that published the record."""
    with _tracer.start_as_current_span(
        f"process {topic}", context=extract(headers), kind=SpanKind.CONSUMER, attributes=_consumed(topic, consumer)
    ):
        yield


@contextmanager
def handling_batch(topics: Iterable[str], consumer: str) -> Iterator[None]:
    """One consumer span for each topic of a batch that is handled as a whole."""
    spans = [
        _tracer.start_span(f"process {topic}", kind=SpanKind.CONSUMER, attributes=_consumed(topic, consumer))
        for topic in sorted(set(topics))
    ]
    try:
        yield
    finally:
        for span in spans:
            span.end()


def _consumed(topic: str, consumer: str) -> dict[str, str]:
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.consumer.group.name": consumer,
    }
