"""`longitude replay`: whether the model that serves now takes the recorded actions again, token for token."""

from __future__ import annotations

from typing import Annotated

import typer
from longitude.reasoning.v1.reasoning_service_pb2 import ReplayResponse

from client import stack
from client.api import ReasoningClient
from client.cli.page import BAD, GOOD, QUIET
from client.cli.session import Json, margin, print_json, run, screen
from client.terminal import Text


def replay(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The assessment.")],
    *,
    json: Json = False,
) -> None:
    """Drive the episode of an assessment again. Exit code 0 only if every action is the same."""
    run(_replay(identifier, as_json=json))


async def _replay(identifier: str, *, as_json: bool) -> bool:
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        with margin().status("replaying"):
            response = await reasoning.replay(identifier)
    if as_json:
        print_json(form_of(response))
    else:
        screen().print(line_of(response))
    return response.identical


def form_of(response: ReplayResponse) -> dict[str, object]:
    return {
        "identical": response.identical,
        "step": None if response.identical else response.step,
        "difference": response.difference or None,
        "steps": response.steps,
        "tokens": response.tokens,
        "max_log_prob_gap": response.max_log_prob_gap,
        "model": response.model,
    }


def line_of(response: ReplayResponse) -> Text:
    made = (
        f"{response.tokens} tokens in {response.steps} steps, log-probabilities within {response.max_log_prob_gap:.1g}"
    )
    if response.identical:
        return Text.assemble(("identical", GOOD), f": {made}", (f"\n{response.model}", QUIET))
    where = f"step {response.step} of {response.steps}: {response.difference} differs"
    return Text.assemble((where, BAD), f" (the same until there: {made})", (f"\n{response.model}", QUIET))
