"""`longitude feed`: what each feed sent and how it was understood; and what other rules would change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from longitude.auditing.v1.auditing_service_pb2 import FeedReport, NamedCount
from longitude.ingestion.v1.ingestion_service_pb2 import Change, PlaceCount
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact
from rich.console import Console

from client import forms, kafka, stack, trials
from client.api import AuditingClient, IngestionClient
from client.cli.page import BAD, QUIET, WARN, row, styled, table
from client.cli.session import Json, moment, print_json, run, screen
from client.trials import Trial

MOST_REMARKS = EXAMPLES = 20


def feed(
    facility: Annotated[str, typer.Argument(metavar="[FACILITY]", help="MSH-4.1; default: every feed.")] = "",
    *,
    since: Annotated[str | None, typer.Option(help="Count from the hour of this time on; default: all.")] = None,
    try_: Annotated[
        Path | None,
        typer.Option("--try", metavar="FILE", exists=True, dir_okay=False, help="A feed file: what it would change."),
    ] = None,
    last: Annotated[int, typer.Option(min=1, max=100_000, help="With --try: so many of the newest messages.")] = 1000,
    show_facts: Annotated[bool, typer.Option("--show", help="With --try: facts, which are about patients.")] = False,
    json: Json = False,
) -> None:
    """Show of each feed its messages, answers, share with facts, remarks by place, and how long it has been silent."""
    if try_ is None:
        run(_feed(facility, since, as_json=json))
    else:
        run(_try(try_.read_text(encoding="utf-8"), facility, last, facts=show_facts, as_json=json))


async def _feed(facility: str, since: str | None, *, as_json: bool) -> bool:
    async with AuditingClient.connect(stack.find().endpoint("auditing")) as auditing:
        reports = await auditing.feeds(facility, moment(since))
    if as_json:
        print_json([form_of(report) for report in reports])
    else:
        show(screen(), reports, datetime.now(UTC))
    return True


async def _try(feeds: str, facility: str, last: int, *, facts: bool, as_json: bool) -> bool:
    where = stack.find()
    async with (
        kafka.connect(where.endpoint("kafka")) as reader,
        IngestionClient.connect(where.endpoint("ingestion")) as ingestion,
    ):
        trial = await trials.run(feeds, facility, last, reader, ingestion)
    if as_json:
        print_json(trial_form(trial, facts=facts))
    else:
        show_trial(screen(), trial, facts=facts)
    return True


def trial_form(trial: Trial, *, facts: bool) -> forms.Form:
    """What would change; with the facts themselves only when they are asked for."""
    counts = ("messages", "left_out", "changed", "patients", "newly_taken", "newly_refused")
    places = ("facts_added", "facts_removed", "remarks_added", "remarks_removed")
    form: forms.Form = {name: getattr(trial, name) for name in counts}
    form |= {name: dict(getattr(trial, name).most_common()) for name in places}
    form["examples"] = [_example(control_id, change, facts=facts) for control_id, change in trial.examples[:EXAMPLES]]
    return form


def _example(control_id: str, change: Change, *, facts: bool) -> forms.Form:
    form: forms.Form = {
        "control_id": control_id,
        "facts_added": {one.place: one.count for one in change.facts_added},
        "facts_removed": {one.place: one.count for one in change.facts_removed},
    }
    if facts:
        form["added"] = [forms.fact(RecordedFact(fact=fact)) for fact in change.added]
        form["removed"] = [forms.fact(RecordedFact(fact=fact)) for fact in change.removed]
    return form


def show_trial(console: Console, trial: Trial, *, facts: bool) -> None:
    """Counts by place, then the first messages that would change."""
    console.print(
        f"{trial.changed} of {trial.messages} messages would be read otherwise: {trial.patients} under another "
        f"patient, {trial.newly_taken} newly taken, {trial.newly_refused} newly refused"
    )
    if trial.left_out:
        console.print(f"{trial.left_out} are too large to be tried", style=QUIET)
    page = table("By place", "what", ">more", ">fewer")
    for kind, more, fewer in (
        ("facts", trial.facts_added, trial.facts_removed),
        ("remark", trial.remarks_added, trial.remarks_removed),
    ):
        for place in sorted(more.keys() | fewer.keys()):
            row(page, f"{kind} {place}", str(more[place]), str(fewer[place]))
    if page.row_count:
        console.print(page)
    examples = table("For example", "message", "instead of", "would be")
    for control_id, change in trial.examples[:EXAMPLES]:
        before, after = (
            _facts(change.removed) if facts else _places(change.facts_removed),
            _facts(change.added) if facts else _places(change.facts_added),
        )
        row(examples, control_id, before, after)
    if examples.row_count:
        console.print(examples)


def _places(counts: Iterable[PlaceCount]) -> str:
    return " ".join(f"{one.place} {one.count}" for one in counts)


def _facts(facts: Iterable[ClinicalFact]) -> str:
    said = (forms.fact(RecordedFact(fact=fact)) for fact in facts)
    return "\n".join(f"{one['code']['display'] or one['code']['code']} {one['value'] or ''}".strip() for one in said)


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
