"""`python -m demo.learning [STEPS]`: what `make learn` runs once the stack is up, from nothing to a decision.

A job of the recipe `editor-short` through the service: demonstrations, episodes of its own, a candidate with its gates,
and the wish to promote it. A few steps make nobody better: then the version is refused, with its figure, and the base
model goes on serving. Exit code 0 with either decision, 1 where there was none.
"""

import asyncio
import getpass
import sys
import uuid

from client import stack
from client.api import LearningClient
from client.errors import ClientError, RefusedError
from client.terminal import Screen
from longitude.learning.v1 import learning_service_pb2 as pb
from longitude.learning.v1.events_pb2 import Gate

RECIPE, STEPS, SEED = "editor-short", 4, 1
_GOING = (pb.JOB_STATE_QUEUED, pb.JOB_STATE_RUNNING)
_LOOK_SECONDS = 1.0


def main() -> int:
    console = Screen(width=None if sys.stdout.isatty() else 110, highlight=False)
    try:
        return asyncio.run(learn(int(sys.argv[1]) if len(sys.argv) > 1 else STEPS, console))
    except ClientError as error:
        console.print(f"[bold red]Nothing was decided:[/bold red] {error}")
        return 1


async def learn(steps: int, console: Screen) -> int:
    """From a queued job to a decision."""
    async with LearningClient.connect(stack.find().endpoint("learning")) as learning:
        job = await _ended(learning, await learning.start(_order(steps)), console)
        if job.state != pb.JOB_STATE_DONE:
            console.print(f"[bold red]The job ended without a version:[/bold red] {job.reason or 'stopped'}")
            return 1
        _show(next(each for each in await learning.versions() if each.version.version_id == job.version_id), console)
        try:
            await learning.promote(job.version_id, getpass.getuser())
        except RefusedError as error:
            console.print(f"[bold]Not promoted, the base model goes on serving:[/bold] {error}")
        else:
            console.print(f"[bold green]✓ version {job.version_id} serves[/bold green]")
        return 0


def _order(steps: int) -> pb.StartJobRequest:
    return pb.StartJobRequest(
        request_id=str(uuid.uuid4()), recipe=RECIPE, seed=SEED, steps=steps, started_by=getpass.getuser()
    )


async def _ended(learning: LearningClient, job: pb.Job, console: Screen) -> pb.Job:
    """The job, once it ended; each step that was seen is told."""
    seen = 0
    while job.state in _GOING:
        if job.step != seen:
            seen = job.step
            figures = ", ".join(f"{each.name} {each.value:.3g}" for each in job.figures)
            console.print(f"step {job.step} of {job.steps}: {figures}")
        await asyncio.sleep(_LOOK_SECONDS)
        job = await learning.job(job.job_id)
    return job


def _show(entry: pb.VersionEntry, console: Screen) -> None:
    console.print(f"version {entry.version.version_id}: {entry.version.adapter}; {entry.version.data}")
    for figure in entry.version.figures:
        console.print(f"  {figure.name}: {figure.value:.4g}")
    for gate in entry.gates:
        mark = "[green]✓[/green]" if gate.passed else "[red]✗[/red]"
        console.print(f"  {mark} {gate_line(gate)}")


def gate_line(gate: Gate) -> str:
    """Its figure beside its bound."""
    side = "at least" if gate.at_least else "at most"
    return f"{gate.name}: {gate.figure:.4g}, must be {side} {gate.bound:.4g}"


if __name__ == "__main__":
    sys.exit(main())
