"""The real weights: what the scheduler served is what is scored, an adapter is small, and it is the same merged."""

import random
from pathlib import Path

import pytest
import torch
from engine import Chunk, ModelFolder, Request, Sampling, open_folder
from engine.batch import Scheduler
from engine.convert import convert
from engine.folder import verify
from engine.grammar import Grammars, GrammarState
from engine.llama import Llama, Runner, load
from engine.segment import Segment
from tokenizers import Tokenizer
from torch import nn
from training import adapters
from training.adapters import Shape
from training.samples import Group, Ids, Rollout, Turn
from training.scoring import scores, served

MODELS = Path(__file__).resolve().parents[4] / "var" / "models"
TEXT = "<|im_start|>user\nHow is the kidney? C1 creatinine C2 potassium C3 metformin<|im_end|>\n<|im_start|>assistant\n"
TURNS, ROLLOUTS = 3, 6


@pytest.fixture(scope="module")
def folder() -> ModelFolder:
    return open_folder(convert(MODELS))


def turn(observed: Ids, answer: Chunk, state: GrammarState) -> Turn:
    allowed = []
    for token in answer.output_ids:
        allowed.append(tuple(state.allowed().tolist()))
        state.accept(token)
    ids, numbers, masses, forced = answer.output_ids, answer.log_probs, answer.allowed_mass, answer.forced
    return Turn(observed, tuple(ids), tuple(numbers), tuple(masses), tuple(forced), tuple(allowed))


def grammar(left: list[int], show: Ids, names: dict[int, Ids], finish: Ids) -> str:
    """`show C1` for what is left, or `finish`, in token ids."""
    ways = [(*show, *names[number]) for number in left] + [finish]
    return "root ::= " + " | ".join("(" + " ".join(f"Token({token})" for token in way) + ")" for way in ways)


class Consulting:
    """Rollouts of one question through the scheduler: what was chosen is no longer offered."""

    def __init__(self, folder: ModelFolder, network: Llama) -> None:
        self._grammars = Grammars(folder.tokenizer, folder.config.vocab_size, [folder.config.eos_token_id])
        self._scheduler = Scheduler(Runner(network, 8, 512), self._grammars)
        self._tokenizer = Tokenizer.from_file(str(folder.tokenizer))
        self._names = {number: self.ids(f" C{number}") for number in range(1, 4)}

    def ids(self, text: str) -> Ids:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def rollouts(self) -> Group:
        return tuple(self._rollout(random.Random(number)) for number in range(ROLLOUTS))

    def _rollout(self, chance: random.Random) -> Rollout:
        seen, observed, left, turns = list[int](), self.ids(TEXT), [1, 2, 3], list[Turn]()
        for _ in range(TURNS):
            ebnf = grammar(left, self.ids("show"), self._names, self.ids("finish"))
            seen += observed
            turns.append(turn(observed, self._answer(seen, ebnf, chance.randrange(1000)), self._grammars.start(ebnf)))
            seen += turns[-1].action_ids
            number = next((n for n in left if turns[-1].action_ids[-len(self._names[n]) :] == self._names[n]), None)
            if number is None:
                break
            left.remove(number)
            observed = self.ids(f"\nC{number} is shown.\n")
        return Rollout("kidney", tuple(turns), 0.5, (), 0.5)

    def _answer(self, ids: list[int], ebnf: str, seed: int) -> Chunk:
        answer = Chunk()
        request = Request(tuple(ids), 16, Sampling(temperature=1.0, seed=seed), ebnf)
        self._scheduler.submit(self._scheduler.prepare(request, answer.extend))  # type: ignore[arg-type]
        while self._scheduler.step():
            pass
        return answer


def test_what_the_scheduler_served_is_what_is_scored(folder: ModelFolder) -> None:
    network = load(folder, 1)
    rollouts = Consulting(folder, network).rollouts()
    assert len({tuple(turn.action_ids for turn in rollout.turns) for rollout in rollouts}) > 1
    with torch.no_grad():
        trained = torch.cat(scores(network, rollouts))
    recorded = torch.tensor([number for rollout in rollouts for number in served(rollout)])
    gap = (trained - recorded).abs().max().item()
    choices = sum(rollout.tokens for rollout in rollouts)
    print(f"served and scored under the grammar: largest gap {gap:.1e} over {choices} choices")
    assert choices > ROLLOUTS
    assert gap < 1e-3


def test_an_adapter_of_all_layers_is_small_and_the_same_merged(folder: ModelFolder, tmp_path: Path) -> None:
    network = adapters.inject(load(folder, 1), Shape(), seed=1)
    torch.manual_seed(2)
    with torch.no_grad():
        for weight in adapters.tensors(network).values():
            nn.init.normal_(weight, std=0.02)
    adapter = adapters.save(network, Shape(), tmp_path / "adapter", folder.name)
    assert sum(file.stat().st_size for file in adapter.iterdir()) < 8 * 1024 * 1024
    out = adapters.merged(folder, adapter, tmp_path / "models" / "tuned", {})
    verify(out)
    ids = list(range(100, 160))
    adapters.put(network, adapters.values_of(adapter))
    with torch.no_grad():
        beside = network([Segment(0, 0, ids, len(ids))]).log_softmax(-1)
        merged = load(out, 1)([Segment(0, 0, ids, len(ids))]).log_softmax(-1)
    assert (beside - merged).abs().max() < 1e-3
    assert (beside - load(folder, 1)([Segment(0, 0, ids, len(ids))]).log_softmax(-1)).abs().max() > 0.1
