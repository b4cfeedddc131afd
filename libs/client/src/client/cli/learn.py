"""`longitude learn`: who may be learned from, jobs and their curves, what reviews correct, and which version serves."""

from __future__ import annotations

import asyncio
import getpass
import json as json_library
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message
from longitude.learning.v1 import learning_service_pb2 as pb
from longitude.learning.v1.events_pb2 import Gate
from rich.console import Console

from client import drawing, stack
from client.api import LearningClient
from client.cli.page import BAD, GOOD, QUIET, WARN, row, styled, table
from client.cli.session import Json, Patient, margin, patient_key, print_json, run, screen
from client.errors import ClientError

app = typer.Typer(no_args_is_help=True, help="Train the reasoner on what may be learned from, and say what serves.")

By = Annotated[str, typer.Option(help="Who decides; by default the user of this machine.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="Its id.")]
VersionId = Annotated[str, typer.Argument(metavar="VERSION", help="Its id.")]

LOOK_SECONDS = 1.0
_GOING = (pb.JOB_STATE_QUEUED, pb.JOB_STATE_RUNNING)
_STYLES = {"done": GOOD, "live": GOOD, "failed": BAD, "refused": BAD, "stopped": WARN, "rolled back": WARN}


@app.command()
def start(
    recipe: Annotated[str, typer.Argument(help="Name of an installed entry point of the group training.recipes.")],
    *,
    steps: Annotated[int, typer.Option(min=1, help="How many.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same training.")] = 0,
    by: By = "",
    request_id: Annotated[str, typer.Option(help="Asked again under it, it is the same job.")] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Wait for the end, and say how far it is.")] = False,
    json: Json = False,
) -> None:
    """Queue a job. With --follow exit code 0 only if it was done."""
    request = pb.StartJobRequest(
        request_id=request_id or str(uuid.uuid4()),
        recipe=recipe,
        seed=seed,
        steps=steps,
        started_by=by or getpass.getuser(),
    )
    run(_start(request, follow=follow, as_json=json))


@app.command()
def status(
    job: Annotated[str, typer.Argument(metavar="[JOB]", help="Its id; default: the last hundred.")] = "",
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for the end, and say how far it is.")] = False,
    json: Json = False,
) -> None:
    """Say how far jobs are and how long they still take. Exit code 1 for one that failed or was stopped."""
    run(_status(job, follow=follow, as_json=json))


@app.command()
def stop(job: JobId, *, json: Json = False) -> None:
    """End a job that is queued or running."""
    run(_stop(job, as_json=json))


@app.command()
def curves(
    job: JobId,
    *,
    series: Annotated[list[str] | None, typer.Option(help="Named ones only.")] = None,
    json: Json = False,
) -> None:
    """Draw what a job has reported, step by step. Exit code 1 when there is nothing yet."""
    run(_curves(job, series or [], as_json=json))


@app.command()
def report(
    *,
    days: Annotated[int, typer.Option(min=1, help="What is recent; it is compared with everything before.")] = 30,
    json: Json = False,
) -> None:
    """Say what physicians keep correcting, what is new and what is satisfied, and who corrects nothing."""
    run(_report(days, as_json=json))


@app.command()
def consent(
    patient: Patient,
    *,
    give: Annotated[bool | None, typer.Option("--give/--withdraw", help="Default: say what holds.")] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Say, give or withdraw a patient's consent. Withdrawing deletes what was kept. Exit code 1 where there is none."""
    run(_consent(patient, by or getpass.getuser(), give=give, as_json=json))


@app.command()
def versions(*, json: Json = False) -> None:
    """List versions with their state and the gates that they failed."""
    run(_versions(as_json=json))


@app.command()
def gates(
    version: VersionId,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON: name, figure, bound, at_least.")],
    *,
    json: Json = False,
) -> None:
    """File what the gates measured of a version. Exit code 1 when one was not passed."""
    run(_gates(version, file, as_json=json))


@app.command()
def promote(version: VersionId, *, by: By = "", json: Json = False) -> None:
    """Let a version serve. Exit code 1, and the figure, when its gates were not passed."""
    run(_promote(version, by or getpass.getuser(), as_json=json))


@app.command("roll-back")
def roll_back(
    *,
    by: Annotated[str, typer.Option(help="Who decides; empty: no person.")] = "",
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    json: Json = False,
) -> None:
    """Take back the version that serves, for the one before it."""
    run(_roll_back(by, reason, as_json=json))


@asynccontextmanager
async def _learning() -> AsyncIterator[LearningClient]:
    async with LearningClient.connect(stack.find().endpoint("learning")) as learning:
        yield learning


async def _start(request: pb.StartJobRequest, *, follow: bool, as_json: bool) -> bool:
    async with _learning() as learning:
        job = await learning.start(request)
        if follow:
            job = await _followed(learning, job)
    _show_jobs([job], as_json=as_json, alone=True)
    return not follow or job.state == pb.JOB_STATE_DONE


async def _status(job_id: str, *, follow: bool, as_json: bool) -> bool:
    async with _learning() as learning:
        jobs = [await learning.job(job_id)] if job_id else await learning.jobs()
        if follow and jobs:
            jobs = [await _followed(learning, jobs[0])]
    _show_jobs(jobs, as_json=as_json, alone=bool(job_id) or follow)
    return not job_id or jobs[0].state in (*_GOING, pb.JOB_STATE_DONE)


async def _stop(job_id: str, *, as_json: bool) -> bool:
    async with _learning() as learning:
        job = await learning.stop(job_id)
    _show_jobs([job], as_json=as_json, alone=True)
    return True


async def _curves(job_id: str, series: Sequence[str], *, as_json: bool) -> bool:
    async with _learning() as learning:
        found = await learning.curves(job_id, series)
    if as_json:
        print_json([_form(curve) for curve in found])
        return bool(found)
    for curve in found:
        steps, values = [point.step for point in curve.points], [point.value for point in curve.points]
        for line in drawing.curve(curve.series, steps, values) or [f"{curve.series}: {values[-1]:.4g}"]:
            screen().print(line, markup=False)
    return bool(found)


async def _report(days: int, *, as_json: bool) -> bool:
    async with _learning() as learning:
        found = await learning.report(days)
    if as_json:
        print_json(_form(found))
    else:
        show_report(screen(), found, days)
    return True


async def _consent(patient: str, by: str, *, give: bool | None, as_json: bool) -> bool:
    key = patient_key(patient)
    async with _learning() as learning:
        deleted = (await learning.set_consent(key, by, given=give)).deleted if give is not None else 0
        found = await learning.consent(key)
    if as_json:
        print_json(_form(found) | {"deleted": deleted})
    else:
        screen().print(consent_line(found, deleted), markup=False)
    return found.given if give is None else found.given == give


async def _versions(*, as_json: bool) -> bool:
    async with _learning() as learning:
        found = await learning.versions()
    if as_json:
        print_json([_form(entry) for entry in found])
    else:
        show_versions(screen(), found)
    return True


async def _gates(version_id: str, file: Path, *, as_json: bool) -> bool:
    rows = read_gates(file)
    async with _learning() as learning:
        passed = await learning.file_gates(version_id, rows)
    if as_json:
        print_json({"passed": passed})
    else:
        screen().print("every gate was passed" if passed else "not every gate was passed")
    return passed


async def _promote(version_id: str, by: str, *, as_json: bool) -> bool:
    async with _learning() as learning:
        event_id = await learning.promote(version_id, by)
    if as_json:
        print_json({"event_id": event_id, "version_id": version_id})
    else:
        screen().print(f"{version_id} is the version that serves", markup=False)
    return True


async def _roll_back(by: str, reason: str, *, as_json: bool) -> bool:
    async with _learning() as learning:
        done = await learning.roll_back(by, reason)
    if as_json:
        print_json(_form(done))
    else:
        screen().print(f"{done.live_version_id or 'the base model'} serves again", markup=False)
    return True


async def _followed(learning: LearningClient, job: pb.Job) -> pb.Job:
    """The job once it has ended; how far it is stands on standard error."""
    console, last = margin(), ""
    while job.state in _GOING:
        line = progress(job)
        if line != last:
            console.print(line, style=QUIET, markup=False)
            last = line
        await asyncio.sleep(LOOK_SECONDS)
        job = await learning.job(job.job_id)
    return job


def progress(job: pb.Job) -> str:
    """How far a job is, and how long it still takes where anybody can tell."""
    left = f", {duration(job.seconds_left)} left" if job.HasField("seconds_left") else ""
    figures = " ".join(f"{each.name} {each.value:.4g}" for each in job.figures)
    return f"step {job.step} of {job.steps}{left}{'  ' if figures else ''}{figures}"


def duration(seconds: float) -> str:
    """In the unit that says most."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def show_jobs(console: Console, jobs: Iterable[pb.Job]) -> None:
    """A line for each job."""
    page = table("Jobs", "job", "recipe", ">seed", "state", "how far", "by", "")
    for job in jobs:
        state = _word(pb.JobState.Name(job.state), "JOB_STATE_")
        seed, after = str(job.seed), job.reason or (f"version {job.version_id}" if job.version_id else "")
        how_far = progress(job)
        row(page, job.job_id, job.recipe, seed, _state(state), how_far, styled(job.started_by, QUIET), after)
    console.print(page)


def show_report(console: Console, answer: pb.ReportResponse, days: int) -> None:
    """The rubric, most violated first, then who reviewed."""
    console.print(
        f"{answer.episodes} episodes and {answer.reviews} reviews are kept; "
        f"{answer.not_collected} were not, for want of consent"
    )
    rows = table(f"Corrected in {days} days, and before", "row", ">of", ">times", ">rate", ">before", "")
    for each in answer.rows:
        state = _word(pb.RowState.Name(each.state), "ROW_STATE_")
        style = {"new": BAD, "satisfied": GOOD}.get(state, WARN)
        now, before = _rate(each.violated, each.reviewed), _rate(each.violated_before, each.reviewed_before)
        row(rows, each.name, str(each.reviewed), str(each.violated), now, before, styled(state, style))
    if answer.rows:
        console.print(rows)
    reviewers = table("Reviewers", "pseudonym", ">statements", ">corrected", "")
    for each_reviewer in answer.reviewers:
        note = styled("corrects nothing: left out" if each_reviewer.one_sided else "", BAD)
        counts = (str(each_reviewer.statements), str(each_reviewer.corrected))
        row(reviewers, each_reviewer.reviewer[:12], *counts, note)
    if answer.reviewers:
        console.print(reviewers)


def show_versions(console: Console, entries: Iterable[pb.VersionEntry]) -> None:
    """A line for each version."""
    page = table("Versions", "version", "state", "trained", "figures", "gates", "by")
    for entry in entries:
        state = _word(pb.VersionState.Name(entry.state), "VERSION_STATE_")
        figures = " ".join(f"{each.name} {each.value:.4g}" for each in entry.version.figures)
        trained = styled(entry.version.trained_at.ToJsonString()[:16].replace("T", " "), QUIET)
        row(page, entry.version.version_id, _state(state), trained, figures, _gate_words(entry.gates), entry.decided_by)
    console.print(page)


def consent_line(answer: pb.GetConsentResponse, deleted: int) -> str:
    """What holds, since when, and what is kept."""
    said = "may be learned from" if answer.given else "may not be learned from"
    since = f", since {answer.decided_at.ToJsonString()[:16]} by {answer.decided_by}" if answer.event_id else ""
    gone = f"; {deleted} deleted" if deleted else ""
    return f"{said}{since}; {answer.episodes} episodes and {answer.reviews} reviews are kept{gone}"


def read_gates(file: Path) -> list[Gate]:
    """A list of rows; ClientError when the file holds none."""
    try:
        return [ParseDict(each, Gate()) for each in json_library.loads(file.read_text(encoding="utf-8"))]
    except (ValueError, TypeError, ParseError):
        raise ClientError(f"{file} is not a list of gates: name, figure, bound, at_least") from None


def _show_jobs(jobs: Sequence[pb.Job], *, as_json: bool, alone: bool) -> None:
    if as_json:
        forms = [_form(job) for job in jobs]
        print_json(forms[0] if alone and forms else forms)
    else:
        show_jobs(screen(), jobs)


def _form(message: Message) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def _gate_words(report: Sequence[Gate]) -> str:
    if not report:
        return "not measured"
    missed = [f"{gate.name} {gate.figure:.4g}" for gate in report if not gate.passed]
    return ", ".join(missed) if missed else f"{len(report)} passed"


def _state(word: str) -> Any:
    return styled(word, _STYLES.get(word, ""))


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower().replace("_", " ")


def _rate(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else ""
