"""The operator's command: `python -m engine.versions list | check | publish | roll-back | load`."""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.drift import Gap
from engine.folder import ModelCorruptError, ModelMissingError
from engine.versions import repository, rollout
from engine.versions.check import CandidateRefusedError
from engine.versions.repository import RepositoryError, Version
from engine.versions.server import MODEL, Server, ServerError

REFUSALS = (CandidateRefusedError, ModelCorruptError, ModelMissingError, RepositoryError, ServerError)


def main() -> int:
    """0 when what was asked is done; 1 with the reason, and nothing changed."""
    asked = _parser().parse_args()
    try:
        said = _listed(asked.repository / MODEL, asked.keep) if asked.command == "list" else asyncio.run(_run(asked))
    except REFUSALS as error:
        print(f"refused: {error}", file=sys.stderr)  # noqa: T201 - the answer of the command
        return 1
    print(said)  # noqa: T201
    return 0


async def _run(asked: argparse.Namespace) -> str:
    model = asked.repository / MODEL
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(Server.connect(endpoint, model)) for endpoint in asked.triton]
        place = rollout.Place(model, asked.models, tuple(servers), asked.keep, asked.recorded)
        if asked.command == "check":
            return f"may go live: {_figures(await rollout.check(place, asked.weights))}"
        if asked.command == "publish":
            return _went_live(*await rollout.publish(place, asked.weights))
        if asked.command == "roll-back":
            return _went_live(*await rollout.roll_back(place, asked.version))
        await rollout.bring_up(place)
        return _listed(model, asked.keep)


def _went_live(version: Version, gap: Gap) -> str:
    return f"version {version.number} is live: {version.weights} {version.sha256[:12]}; {_figures(gap)}"


def _figures(gap: Gap) -> str:
    size = f"by {gap.largest:.1e} at most, {gap.mean:.1e} on average, over {gap.tokens} tokens"
    return f"served and trained log-probabilities differ {size}"


def _listed(model: Path, keep: timedelta) -> str:
    found = repository.versions(model)
    loaded = repository.needed(found, keep, datetime.now(UTC))
    state = dict.fromkeys(loaded, "kept for running episodes") | {loaded[-1]: "live"}
    return "\n".join(_line(each, state.get(each.number, "-")) for each in found)


def _line(version: Version, state: str) -> str:
    published = version.published_at.isoformat(timespec="seconds") if version.published_at else "-"
    return f"{version.number:>4}  {version.sha256[:12] or 'as installed':12}  {version.weights}  {published}  {state}"


def _parser() -> argparse.ArgumentParser:
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument("--repository", type=Path, required=True, help="the model repository that Triton serves")
    place.add_argument(
        "--keep-seconds",
        dest="keep",
        type=_seconds,
        default=timedelta(hours=1),
        help="replaced versions stay loaded for (3600)",
    )
    served = argparse.ArgumentParser(add_help=False, parents=[place])
    served.add_argument("--models", type=Path, required=True, help="the folder of all weights, as Triton sees it too")
    served.add_argument("--triton", required=True, action="append", help="host:port of gRPC; once for every replica")
    served.add_argument("--recorded", type=Path, help="turns to check with, as JSON; default: ours")
    parser = argparse.ArgumentParser(
        prog="python -m engine.versions", description="Versions of the reasoner on Triton."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", parents=[place], help="all versions, the live one last")
    for name, does in (("check", "serve a candidate and compare"), ("publish", "check, then make it the live version")):
        commands.add_parser(name, parents=[served], help=does).add_argument("weights", help="a folder of --models")
    back = commands.add_parser("roll-back", parents=[served], help="publish an earlier version's content again")
    back.add_argument("version", type=int, nargs="?", help="its number; default: the last with other content")
    commands.add_parser("load", parents=[served], help="bring servers to what the repository says")
    return parser


def _seconds(text: str) -> timedelta:
    return timedelta(seconds=float(text))


if __name__ == "__main__":
    sys.exit(main())
