"""`python -m demo`: tell the story to the running stack, check every expected truth, show the page.

Exit code 0 only when every truth is there; 1 names what is missing; 2 when the stack cannot be used at all.
"""

import asyncio
import sys

from client import stack
from client.errors import ClientError
from client.terminal import Screen

from demo import page, run
from demo.deciding import NoAnswerError
from demo.stages import Stages
from demo.truths import TRUTHS, broken
from demo.waiting import NotSettledError


def main() -> int:
    """Run the demo and say whether all of it is really there."""
    console = Screen(width=None if sys.stdout.isatty() else 110)
    try:
        outcome = asyncio.run(run.tell(stack.find(), Stages(console)))
    except (ClientError, NotSettledError, NoAnswerError) as error:
        console.print(f"[bold red]The demo could not go on:[/bold red] {error}", highlight=False)
        return 2
    page.draw(console, outcome)
    missing = broken(outcome)
    console.print()
    for name, what in missing:
        console.print(f"[bold red]✗ {name}[/bold red]: {what}", highlight=False)
    if missing:
        console.print(f"[bold red]{len(missing)} of {len(TRUTHS)} expected truths are missing.[/bold red]")
        return 1
    known = f"the record held {len(outcome.before)} facts before and {len(outcome.after)} after"
    console.print(f"[bold green]✓ all {len(TRUTHS)} expected truths are there[/bold green]; {known}.", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
