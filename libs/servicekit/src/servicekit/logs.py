"""Logs as JSON lines on stderr. Identifiers of events and topics may stand in them, patient data never.

Exceptions are logged by type and place, not by text: a library's text may quote a row or a message.
"""

import logging
import sys
import traceback
from types import TracebackType

from opentelemetry import trace
from pythonjsonlogger.json import JsonFormatter

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Formatter(JsonFormatter):
    """Adds the trace id; keeps an exception's type and frames and drops its text."""

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the name logging gives it
        kind, _, frames = ei
        lines = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(frames)]
        return f"{kind.__name__ if kind else 'none'} at " + " < ".join(reversed(lines))


class _TraceId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            record.trace_id = format(context.trace_id, "032x")
        return True


def configure(service: str, level: str) -> None:
    """Send every logger's records to stderr as one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Formatter(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            static_fields={"service": service},
        )
    )
    handler.addFilter(_TraceId())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These speak of every fetch, request and association at INFO.
    for name in ("aiokafka", "pynetdicom", "faststream", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
