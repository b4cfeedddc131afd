"""OpenTelemetry tracing: spans to a file as JSON lines, to an OTLP collector, or nowhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter


class _Resource(Resource):
    """A service, whose JSON every span's line repeats: it is made once."""

    def __init__(self, service: str) -> None:
        super().__init__(Resource.create({"service.name": service}).attributes)
        self._json = super().to_json(indent=None)

    def to_json(self, indent: int | None = None) -> str:  # noqa: ARG002 - a line has none
        return self._json


def _line(span: ReadableSpan) -> str:
    return f"{span.to_json(indent=None)}\n"


@contextmanager
def tracing(service: str, trace_file: str, otlp_endpoint: str) -> Iterator[None]:
    """Record spans while inside; the last ones are flushed on the way out."""
    provider = TracerProvider(resource=_Resource(service))
    if otlp_endpoint:
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(otlp_endpoint, insecure=True)))
    if trace_file:
        out = Path(trace_file).open("a", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
        provider.add_span_processor(
            BatchSpanProcessor(ConsoleSpanExporter(out=out, formatter=_line), schedule_delay_millis=500)
        )
    if otlp_endpoint or trace_file:
        trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
