"""What is stored, as the RPCs show it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from longitude.learning.v1 import learning_service_pb2 as pb
from longitude.learning.v1.events_pb2 import Figure

from learning.adapters.postgres.jobs import StoredJob
from learning.adapters.postgres.versions import StoredVersion
from learning.domain.jobs import Running, seconds_left
from learning.domain.rubric import Reviewer, Row


def job(stored: StoredJob, figures: Mapping[str, float], now: datetime) -> pb.Job:
    """A job with the time it still takes, where that can be told."""
    shown = pb.Job(
        job_id=stored.job_id,
        recipe=stored.recipe,
        seed=stored.seed,
        state=pb.JobState.Value(f"JOB_STATE_{stored.state.upper()}"),
        step=stored.step,
        steps=stored.steps,
        reason=stored.reason,
        started_by=stored.started_by,
        attempts=stored.attempt,
        figures=[Figure(name=name, value=value) for name, value in figures.items()],
        version_id=stored.version_id or "",
    )
    shown.asked_at.FromDatetime(stored.asked_at)
    if stored.ended_at is not None:
        shown.ended_at.FromDatetime(stored.ended_at)
    left = _seconds_left(stored, now)
    if left is not None:
        shown.seconds_left = left
    return shown


def curves(points: Iterable[tuple[str, int, float]]) -> list[pb.Curve]:
    """A curve for each series, in the order of its points."""
    made: dict[str, pb.Curve] = {}
    for series, step, value in points:
        made.setdefault(series, pb.Curve(series=series)).points.add(step=step, value=value)
    return list(made.values())


def report(
    rows: Iterable[Row], reviewers: Iterable[Reviewer], one_sided: Collection[str], totals: Sequence[int]
) -> pb.ReportResponse:
    """The rubric, who reviewed, and what is kept."""
    episodes, reviews, not_collected = totals
    return pb.ReportResponse(
        rows=map(_row, rows),
        reviewers=[
            pb.Reviewer(
                reviewer=each.reviewer,
                statements=each.statements,
                corrected=each.corrected,
                one_sided=each.reviewer in one_sided,
            )
            for each in reviewers
        ],
        episodes=episodes,
        reviews=reviews,
        not_collected=not_collected,
    )


def version(stored: StoredVersion) -> pb.VersionEntry:
    """A version with its last gate report and the last decision about it."""
    shown = pb.VersionEntry(
        version=stored.version,
        state=pb.VersionState.Value(f"VERSION_STATE_{stored.state.upper().replace('-', '_')}"),
        gates=stored.gates or (),
        decided_by=stored.decided_by,
    )
    if stored.gates_at is not None:
        shown.gates_at.FromDatetime(stored.gates_at)
    if stored.decided_at is not None:
        shown.decided_at.FromDatetime(stored.decided_at)
    return shown


def _row(row: Row) -> pb.RubricRow:
    return pb.RubricRow(
        name=row.name,
        violated=row.violated,
        reviewed=row.reviewed,
        violated_before=row.violated_before,
        reviewed_before=row.reviewed_before,
        state=pb.RowState.Value(f"ROW_STATE_{row.state.name}"),
    )


def _seconds_left(stored: StoredJob, now: datetime) -> float | None:
    if stored.state != "running" or stored.attempt_at is None:
        return None
    return seconds_left(Running(stored.step, stored.steps, stored.attempt_step, stored.attempt_at), now)
