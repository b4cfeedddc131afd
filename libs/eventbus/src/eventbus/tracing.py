"""OpenTelemetry spans around publishing and handling (semantic conventions for messaging, Kafka)."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.propagate import extract, inject
from opentelemetry.trace import Span, SpanKind, StatusCode

_tracer = trace.get_tracer("eventbus")


@contextmanager
def publishing(topic: str, headers: dict[str, str], cause: Span | None = None) -> Iterator[None]:
    """A producer span, child of `cause` or of the current one; its context travels in the `traceparent` header.

    It is not made the current one: what publishes makes no spans of its own.
    """
    attributes = {"messaging.system": "kafka", "messaging.destination.name": topic}
    parent = None if cause is None else trace.set_span_in_context(cause)
    span = _tracer.start_span(f"publish {topic}", parent, SpanKind.PRODUCER, attributes)
    inject(headers, trace.set_span_in_context(span))
    try:
        yield
    except Exception as error:
        span.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        span.end()


@contextmanager
def handling(topic: str, consumer: str, records: Sequence[dict[str, str]]) -> Iterator[list[Span]]:
    """A consumer span for each record (by its headers), child of the span that published it."""
    spans = [
        _tracer.start_span(f"process {topic}", extract(headers), SpanKind.CONSUMER, _consumed(topic, consumer))
        for headers in records
    ]
    try:
        with trace.use_span(spans[0]):
            yield spans
    finally:
        for span in spans:
            span.end()


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
