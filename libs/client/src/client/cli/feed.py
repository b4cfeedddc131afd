"""`longitude feed`: what each feed sent and how it was understood; and what other rules would change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer
from longitude.auditing.v1.auditing_service_pb2 import FeedReport, NamedCount
from rich.console import Console

from client import forms, stack
from client.api import AuditingClient
from client.cli.page import BAD, QUIET, WARN, row, styled, table
from client.cli.session import Json, moment, print_json, run, screen

MOST_REMARKS = 20


def feed(
    facility: Annotated[str, typer.Argument(metavar="[FACILITY]", help="MSH-4.1; default: every feed.")] = "",
    *,
    since: Annotated[str | None, typer.Option(help="Count from the hour of this time on; default: all.")] = None,
    json: Json = False,
) -> None:
    """Show of each feed its messages, answers, share with facts, remarks by place, and how long it has been silent."""
    run(_feed(facility, since, as_json=json))


async def _feed(facility: str, since: str | None, *, as_json: bool) -> bool:
    async with AuditingClient.connect(stack.find().endpoint("auditing")) as auditing:
        reports = await auditing.feeds(facility, moment(since))
    if as_json:
        print_json([form_of(report) for report in reports])
    else:
        show(screen(), reports, datetime.now(UTC))
    return True


def form_of(report: FeedReport) -> forms.Form:
    """A feed's report."""
    return {
        "facility": report.facility,
        "messages": report.messages,
        "acknowledgements": _counts(report.acknowledgements),
        "with_facts": report.with_facts,
        "with_clinical_facts": report.with_clinical_facts,
        "remarks": _counts(report.remarks),
        "rejected": _counts(report.rejected),
        "last_received_at": forms.time_text(report.last_received_at),
    }


def show(console: Console, reports: Iterable[FeedReport], now: datetime) -> None:
    """A line for each feed, then its remarks, most first."""
    page = table("Feeds", "facility", ">messages", "answers", ">facts", ">clinical", "refused", "last", "silent")
    remarks = table("Not understood", "facility", "place and reason", ">times")
    for report in reports:
        last = report.last_received_at.ToDatetime(tzinfo=UTC)
        row(
            page,
            report.facility,
            str(report.messages),
            _line(report.acknowledgements),
            _share(report.with_facts, report.messages),
            _share(report.with_clinical_facts, report.messages),
            styled(_line(report.rejected), BAD),
            styled(last.isoformat(sep=" ", timespec="minutes")[:16], QUIET),
            _silence((now - last).total_seconds()),
        )
        for remark in report.remarks[:MOST_REMARKS]:
            row(remarks, report.facility, styled(remark.name, WARN), str(remark.count))
    console.print(page)
    if remarks.row_count:
        console.print(remarks)


def _counts(counts: Iterable[NamedCount]) -> dict[str, int]:
    return {one.name: one.count for one in counts}


def _line(counts: Iterable[NamedCount]) -> str:
    return " ".join(f"{one.name} {one.count}" for one in counts)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else ""


def _silence(seconds: float) -> str:
    minutes = max(int(seconds // 60), 0)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"
