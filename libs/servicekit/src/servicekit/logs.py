"""Logs as JSON lines on stderr. Identifiers of events and topics may stand in them, patient data never.

Exceptions are logged by type and place, not by text: a library's text may quote a row or a message. So are warnings,
and what nobody caught. A line is printable ASCII: nothing that it carries acts on a terminal or turns the writing.
"""

import logging
import sys
import threading
import traceback
import warnings
from types import TracebackType
from typing import Any

from opentelemetry import trace
from pythonjsonlogger.json import JsonFormatter

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Formatter(JsonFormatter):
    """Adds the trace id; keeps an exception's type and frames and drops its text."""

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the name logging gives it
        kind, _, frames = ei
        lines = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(frames)]
        return f"{kind.__name__ if kind else 'none'} at " + " < ".join(reversed(lines))

    def format(self, record: logging.LogRecord) -> str:
        # The one control character that JSON leaves as it is.
        return super().format(record).replace("\x7f", "\\u007f")


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
            json_ensure_ascii=True,
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            static_fields={"service": service},
        )
    )
    handler.addFilter(_TraceId())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    _take_what_python_would_print()
    # These speak of every fetch, request and association at INFO.
    for name in ("aiokafka", "pynetdicom", "faststream", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _take_what_python_would_print() -> None:
    """Python itself writes these to stderr with their texts, which quote what was being read."""
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    warnings.showwarning = _warned


def _uncaught(kind: type[BaseException], error: BaseException | None, frames: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger("servicekit").critical("uncaught", exc_info=(kind, error or kind(), frames))


def _warned(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any) -> None:
    """By category and place. A warning's text may quote a file."""
    del message
    logging.getLogger("servicekit").warning("%s at %s:%d", category.__name__, filename, lineno)
