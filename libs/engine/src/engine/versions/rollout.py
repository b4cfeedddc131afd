"""Check, publish, roll back: what an operator does with versions, on every Triton that serves the repository.

Nothing goes live that was not served and compared before. A roll-back publishes old content under a new number, with
the same checks. What does not load everywhere is withdrawn.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from engine.drift import Gap, joined
from engine.folder import ModelFolder, open_folder, sha256_of, verify
from engine.llama import Llama, load, training_log_probs
from engine.request import Request
from engine.versions import repository
from engine.versions.check import CandidateRefusedError, measure, recorded
from engine.versions.repository import RepositoryError, Version
from engine.versions.server import CANDIDATE, Server, ServerError


@dataclass(frozen=True)
class Place:
    """The model's folder in the repository, the folder of weights, every Triton that serves them.

    `keep` is how long a replaced version stays loaded: longer than any episode runs.
    """

    model: Path
    models: Path
    servers: tuple[Server, ...]
    keep: timedelta
    turns: Path | None = None  # recorded turns to check with; ours when None


async def check(place: Place, weights: str) -> Gap:
    """Serves a candidate beside the live version and compares; raises CandidateRefusedError or ServerError."""
    if not (place.models / weights).is_dir():
        raise RepositoryError(f"no folder {weights} in {place.models}: put it there first")
    folder = open_folder(place.models / weights)
    verify(folder)
    live = place.models / repository.versions(place.model)[-1].weights / folder.tokenizer.name
    if live.exists() and sha256_of(live) != sha256_of(folder.tokenizer):
        raise CandidateRefusedError(f"its tokenizer is not that of the live version, {live}, which all who ask use")
    return await _check(place, weights, folder, load(folder))


async def publish(place: Place, weights: str) -> tuple[Version, Gap]:
    """Makes `weights` the live version once they passed the check; requests in flight do not notice."""
    found = await check(place, weights)
    sha256 = open_folder(place.models / weights).sha256
    version = repository.add(place.model, weights, sha256, datetime.now(UTC))
    try:
        await bring_up(place)
        await _confirm(place.servers, version)
    except (ServerError, CandidateRefusedError):
        repository.remove(place.model, version)
        with suppress(ServerError):
            await bring_up(place)
        raise
    return version, found


async def roll_back(place: Place, number: int | None) -> tuple[Version, Gap]:
    """Publishes the content of an earlier version again; without a number, of the last one that was different."""
    *earlier, live = repository.versions(place.model)
    wanted = [each for each in earlier if (each.number == number if number else _differs(each, live))]
    if not wanted:
        raise RepositoryError(f"no version {number or 'before the live one'} to roll back to: see `list`")
    version = wanted[-1]
    held = open_folder(place.models / version.weights).sha256
    if version.sha256 not in ("", held):
        said = f"version {version.number} was {version.sha256[:12]}, {version.weights} holds {held[:12]} now"
        raise RepositoryError(f"{said}: put those weights back")
    return await publish(place, version.weights)


async def bring_up(place: Place) -> None:
    """Loads on every Triton the live version and those that running episodes may be pinned to, and no others."""
    numbers = repository.needed(repository.versions(place.model), place.keep, datetime.now(UTC))
    for server in place.servers:
        await server.load(numbers)


async def _check(place: Place, weights: str, folder: ModelFolder, network: Llama) -> Gap:
    turns = recorded(place.turns, folder.config.vocab_size)
    document = repository.document(Version(1, weights, folder.sha256))
    gaps = []
    for server in place.servers:
        async with server.candidate(document):
            ask = partial(server.ask, model=CANDIDATE)
            gaps.append(await measure(ask, partial(training_log_probs, network), folder.sha256, turns))
    return joined(gaps)


async def _confirm(servers: Sequence[Server], version: Version) -> None:
    """Asks every Triton for one token, of no version in particular."""
    for server in servers:
        served = await server.ask(Request((0,), 1))
        if (served.version, served.sha256) != (str(version.number), version.sha256):
            raise CandidateRefusedError(f"{server.endpoint} answers with version {served.version}")


def _differs(earlier: Version, live: Version) -> bool:
    return (earlier.weights, earlier.sha256) != (live.weights, live.sha256)
