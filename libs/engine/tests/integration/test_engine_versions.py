"""The reasoner rolled forward and back on a real Triton while requests stream: none dropped, none mixed."""

import asyncio
import json
import re
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from engine import ModelFolder, Request, Sampling
from engine.folder import write_manifest
from engine.versions import rollout
from engine.versions.repository import versions
from engine.versions.rollout import Place
from engine.versions.server import Served, Server, ServerError
from native_stack import Stack
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

pytestmark = pytest.mark.timeout(600)

EPISODE = timedelta(hours=1)


@pytest.fixture(scope="module")
def tuned(folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network with a small low-rank change in every layer's queries, as training would leave it."""
    made, chance = tmp_path_factory.mktemp("models") / "tuned", np.random.default_rng(4)
    made.mkdir()
    weights = load_file(folder.weights)
    for name in [name for name in weights if name.endswith("q_proj.weight")]:
        rows, columns = weights[name].shape
        change = chance.normal(0, 0.1, (rows, 4)) @ chance.normal(0, 0.1, (4, columns))
        weights[name] = (weights[name] + change).astype(np.float32)
    save_file(weights, made / "model.safetensors", metadata={"format": "pt"})
    for name in ("config.json", "tokenizer.json"):
        (made / name).symlink_to(folder.path / name)
    write_manifest(made, {"name": "tuned"})
    return made


@pytest.fixture(scope="module")
def stack(new_stack: Callable[..., Stack]) -> Stack:
    return new_stack(("triton",), ())


@pytest.fixture
def turns(tokenizer: Tokenizer, tmp_path: Path) -> Path:
    """One turn: which versions answer whom is what matters here."""
    shown, said = tokenizer.encode("Potassium is high. Repeat").ids, tokenizer.encode(" the sample today").ids
    encoded = [{"observation_ids": shown, "action_ids": said}]
    file = tmp_path / "turns.json"
    file.write_text(json.dumps(encoded), encoding="utf-8")
    return file


@asynccontextmanager
async def placed(stack: Stack, folder: ModelFolder, turns: Path) -> AsyncIterator[Place]:
    model = stack.layout.data("triton") / "models" / "reasoner"
    async with Server.connect(stack.endpoints()["LONGITUDE_TRITON"], model) as server:
        yield Place(model, folder.path.parent, (server,), EPISODE, turns)


@dataclass
class Clients:
    """Clients that ask again and again, and everything they were answered."""

    server: Server
    request: Request
    answers: list[list[Served]] = field(default_factory=list)
    done: bool = False

    async def ask(self, version: str = "") -> None:
        mine: list[Served] = []
        self.answers.append(mine)
        while not self.done:
            mine.append(await self.server.ask(self.request, version=version))

    async def are_all_answered_by(self, version: int) -> None:
        """Waits until every client that names no version was answered by this one."""
        async with asyncio.timeout(120):
            while not all(answers[-1].version in ("1", str(version)) for answers in self.answers if answers):
                await asyncio.sleep(0.1)


async def test_requests_stream_through_a_roll_forward_and_a_roll_back(
    stack: Stack, folder: ModelFolder, tuned: Path, turns: Path, tokenizer: Tokenizer
) -> None:
    asked = Request(tuple(tokenizer.encode("The kidneys filter the blood and").ids), 10, Sampling())
    async with placed(stack, folder, turns) as place:
        await rollout.bring_up(place)
        clients = Clients(place.servers[0], asked)
        async with asyncio.TaskGroup() as group:  # a request that is dropped ends the test with its error
            group.create_task(clients.ask())
            group.create_task(clients.ask())
            group.create_task(clients.ask(version="1"))  # an episode that began before
            long = group.create_task(place.servers[0].ask(replace(asked, max_tokens=150)))
            await asyncio.sleep(1)
            second, found = await rollout.publish(place, str(tuned))
            assert found.small
            third, _ = await rollout.roll_back(place, None)
            await clients.are_all_answered_by(third.number)
            clients.done = True
    *free, pinned = clients.answers
    print(f"{sum(map(len, clients.answers)) + 1} requests through a roll forward and a roll back, none dropped")
    whole = {served.sha256: served.output_ids for client in clients.answers for served in client}
    assert (second.number, third.number) == (2, 3)
    assert len(whole) == len(set(whole.values())) == 2, "the two networks must answer differently to be told apart"
    assert all(served.output_ids == whole[served.sha256] for client in clients.answers for served in client)
    assert {(served.version, served.sha256) for served in pinned} == {("1", folder.sha256)}
    for client in free:
        numbers = [int(served.version) for served in client]
        assert numbers == sorted(numbers)
        assert set(numbers) == {1, 2, 3}
    assert (long.result().version, len(long.result().output_ids)) == ("1", 150)
    assert [version.weights for version in versions(place.model)] == ["smollm2", str(tuned), "smollm2"]


async def test_replaced_versions_are_unloaded_when_no_episode_can_need_them(
    stack: Stack, folder: ModelFolder, turns: Path
) -> None:
    async with placed(stack, folder, turns) as place:
        await rollout.bring_up(replace(place, keep=timedelta(0)))
        live = versions(place.model)[-1].number
        assert (await place.servers[0].ask(Request((1, 2), 1))).version == str(live)
        with pytest.raises(ServerError, match="version 1 is not"):
            await place.servers[0].ask(Request((1, 2), 1), version="1")


async def test_what_is_served_is_scored_again_and_the_gap_exported(
    stack: Stack, folder: ModelFolder, turns: Path
) -> None:
    async with placed(stack, folder, turns) as place:
        live, metrics = versions(place.model)[-1].number, ""
        while not value(metrics, "rescored_tokens_total", live):  # exported when the next request ends
            await asyncio.gather(*(place.servers[0].ask(Request((1, 2, 3), 2)) for _ in range(8)))
            await asyncio.sleep(0.3)  # idle, so that it is done now
            metrics = await asyncio.to_thread(scrape, stack)
        assert 0 < value(metrics, "log_prob_gap_largest", live) < 0.01
        assert 0 < value(metrics, "log_prob_gap_mean", live) < 0.01


def scrape(stack: Stack) -> str:
    port = json.loads(stack.layout.state.read_text(encoding="utf-8"))["ports"]["triton_metrics"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def value(metrics: str, name: str, version: int) -> float:
    found = re.search(rf'longitude_reasoner_{name}{{model="reasoner",version="{version}"}} (\S+)', metrics)
    return float(found[1]) if found else 0.0


async def test_a_server_with_other_weights_under_that_name_is_refused_before_anything_goes_live(
    stack: Stack, folder: ModelFolder, tuned: Path, turns: Path, tmp_path: Path
) -> None:
    """The publisher's `smollm2` is not the one that Triton finds under that name."""
    (tmp_path / "smollm2").symlink_to(tuned)
    async with placed(stack, folder, turns) as place:
        before = versions(place.model)
        with pytest.raises(ServerError, match=f"was published, .*smollm2 holds {folder.sha256[:12]}"):
            await rollout.publish(replace(place, models=tmp_path), "smollm2")
        assert versions(place.model) == before
        assert (await place.servers[0].ask(Request((1, 2), 1))).version == str(before[-1].number)
