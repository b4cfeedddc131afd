"""What operators watch of this service beside what every service has."""

from collections.abc import Iterable

from longitude.reasoning.v1.assessment_pb2 import Assessment, Author, Verdict
from prometheus_client import Counter, Gauge, Histogram

SECONDS = Histogram(
    "reasoning_assessment_seconds", "From question to stored assessment", buckets=(1, 2, 5, 10, 20, 30, 60, 120, 300)
)
STATEMENTS = Counter("reasoning_statements_total", "Statements judged", ["author", "verdict", "released"])
DEGRADED = Counter("reasoning_degraded_total", "Assessments with a part missing")
CONCERNS = Counter("reasoning_concerns_total", "What became of concerns", ["change"])
CONCERNS_TOLD = Counter(
    "reasoning_concerns_told_total", "States of concerns by what another system answered", ["answer"]
)
CONCERN_WAITS_SINCE = Gauge(
    "reasoning_concern_waits_since_seconds", "When the state was made that another system is to be told next; 0: none"
)
CONCERN_FAILURES = Counter("reasoning_concern_failures_total", "Records that could not be looked at")
PREPARED = Counter("reasoning_prepared_total", "Forms that were written before they were asked for", ["form"])
OPENED = Counter("reasoning_prepared_opened_total", "Forms that were asked for, by whether one was ready", ["ready"])
PREPARATION_FAILURES = Counter("reasoning_preparation_failures_total", "Records whose visits could not be looked at")


def observe_concerns(changes: Iterable[str]) -> None:
    """Count what one look at a record changed."""
    for change in changes:
        CONCERNS.labels(change).inc()


def observe(assessment: Assessment, seconds: float) -> None:
    """Count one assessment. Labels are names of enums, never anything about the patient."""
    SECONDS.observe(seconds)
    DEGRADED.inc(bool(assessment.degraded))
    for statement in assessment.statements:
        author = Author.Name(statement.author).removeprefix("AUTHOR_").lower()
        verdict = Verdict.Name(statement.verdict).removeprefix("VERDICT_").lower()
        STATEMENTS.labels(author, verdict, str(statement.released).lower()).inc()
