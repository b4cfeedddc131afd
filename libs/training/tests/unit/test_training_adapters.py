"""Adapters: nothing before the first step, the same merged and served as beside, and in the files that peft reads."""

from pathlib import Path

import pytest
import torch
from engine.batch import Scheduler
from engine.folder import ModelFolder, open_folder, verify
from engine.grammar import Grammars
from engine.llama import Llama, Runner, load
from engine.segment import Segment
from harness.protocol import Generate
from torch import Tensor, nn
from training import adapters
from training.adapters import AdapterError, Shape
from training.loop import Recipe, Training
from training.policy import run

from libs.training.tests.unit.tiny import Policy

IDS = list(range(1, 40))


def logits(network: Llama, ids: list[int] = IDS) -> Tensor:
    with torch.no_grad():
        numbers: Tensor = network([Segment(0, 0, ids, len(ids))])
    return numbers


def trained(network: Llama, seed: int = 1) -> Llama:
    """As after some steps: no weight of the adapter is 0."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in adapters.tensors(network).values():
            nn.init.normal_(weight, std=0.05)
    return network


def test_an_adapter_changes_nothing_before_its_first_step(network: Llama) -> None:
    before = logits(network)
    adapters.inject(network, Shape(), seed=4)
    assert torch.equal(logits(network), before)


def test_only_the_adapter_learns(network: Llama) -> None:
    adapters.inject(network, Shape(rank=2, targets=("q_proj", "down_proj")), seed=4)
    assert {name.split(".")[-4] for name in adapters.tensors(network)} == {"q_proj", "down_proj"}
    assert len(adapters.tensors(network)) == 2 * 2 * 2  # layers, targets, A and B


def test_an_adapter_of_the_upper_layers_is_the_same_again_from_its_files(folder: ModelFolder, tmp_path: Path) -> None:
    shape = Shape(rank=2, since=1)
    upper = trained(adapters.inject(load(folder, 1), shape, seed=4))
    assert {name.split(".")[2] for name in adapters.tensors(upper)} == {"1"}
    path = adapters.save(upper, shape, tmp_path / "adapter", folder.name)
    assert adapters.shape_of(path) == shape
    assert torch.allclose(logits(adapters.adapted(load(folder, 1), path)), logits(upper), atol=1e-3)


def test_the_seed_decides_where_an_adapter_begins(folder: ModelFolder) -> None:
    def begun(seed: int) -> dict[str, Tensor]:
        return adapters.copied(adapters.inject(load(folder, 1), Shape(), seed))

    one, again, other = begun(1), begun(1), begun(2)
    assert all(torch.equal(value, again[name]) for name, value in one.items())
    assert any(not torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("targets", [adapters.EVERYWHERE, ("q_proj", "v_proj")])
def test_merged_weights_give_the_logits_of_the_adapter(
    folder: ModelFolder, tmp_path: Path, targets: tuple[str, ...]
) -> None:
    network = trained(adapters.inject(load(folder, 1), Shape(targets=targets), seed=4))
    adapter = adapters.save(network, Shape(targets=targets), tmp_path / "adapter", folder.name)
    out = adapters.merged(folder, adapter, tmp_path / "models" / "tuned", {"seed": 4})
    verify(out)
    assert open_folder(out.path).sha256 != folder.sha256
    beside = logits(adapters.adapted(load(folder, 1), adapter))
    assert (logits(load(out, 1)) - beside).abs().max() < 1e-4
    assert (beside - logits(load(folder, 1))).abs().max() > 0.05


def test_what_was_trained_is_what_is_served_merged(folder: ModelFolder, tmp_path: Path) -> None:
    """LoRA on all layers, some steps of it, merged into a folder, served in batches that share a beginning."""
    network = adapters.inject(load(folder, 1), Shape(), seed=5)
    Training(network, Recipe(steps=4, learning_rate=1e-2, warm_up=1), tmp_path / "steps").run(Policy(network))
    adapter = adapters.save(network, Shape(), tmp_path / "adapter", folder.name)
    out = adapters.merged(folder, adapter, tmp_path / "models" / "tuned", {})
    scheduler = Scheduler(Runner(load(out, 1), 3, 128), Grammars(out.tokenizer, out.config.vocab_size, [1]))
    prompts = [(*IDS, *range(40, 40 + more)) for more in (1, 9, 3, 20)]
    asked = [Generate("", "", prompt, "", 8, 1.0, 1.0, seed, ()) for seed, prompt in enumerate(prompts)]
    answers = run(scheduler, asked)
    assert scheduler.counts.reused >= len(IDS)
    adapters.put(network, adapters.values_of(adapter))
    base = load(folder, 1)
    with torch.no_grad():
        for prompt, answer in zip(prompts, answers, strict=True):
            recorded = torch.tensor(answer.log_probs)
            assert (network.log_probs(prompt, answer.output_ids) - recorded).abs().max() < 1e-4
            assert (base.log_probs(prompt, answer.output_ids) - recorded).abs().max() > 0.01


def test_peft_itself_reads_what_was_saved(folder: ModelFolder, tmp_path: Path) -> None:
    import peft  # noqa: PLC0415
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    network = trained(adapters.inject(load(folder, 1), Shape(), seed=4))
    adapter = adapters.save(network, Shape(), tmp_path / "adapter", folder.name)
    theirs = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder.path), adapter).eval()
    with torch.no_grad():
        expected = theirs(torch.tensor([IDS])).logits[0]
    assert (logits(adapters.adapted(load(folder, 1), adapter)) - expected).abs().max() < 1e-4


def test_an_adapter_that_is_too_large_or_no_number_is_not_saved(
    network: Llama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapters.inject(network, Shape(), seed=4)
    monkeypatch.setattr(adapters, "MOST_BYTES", 1000)
    with pytest.raises(AdapterError, match="bytes"):
        adapters.save(network, Shape(), tmp_path / "adapter", "tiny")
    with torch.no_grad():
        next(iter(adapters.tensors(network).values()))[0, 0] = float("nan")
    with pytest.raises(AdapterError, match="finite"):
        adapters.save(network, Shape(), tmp_path / "adapter", "tiny")
    assert not (tmp_path / "adapter").exists()


def test_an_adapter_of_another_shape_is_refused(network: Llama) -> None:
    adapters.inject(network, Shape(), seed=4)
    values = adapters.copied(network)
    del values[next(iter(values))]
    with pytest.raises(AdapterError, match="other weights"):
        adapters.put(network, values)


def test_other_values_are_there_only_for_a_while(network: Llama) -> None:
    adapters.inject(network, Shape(), seed=4)
    begun = adapters.copied(network)
    trained(network)
    own, before = adapters.copied(network), logits(network)
    with adapters.swapped(network, begun):
        assert not torch.equal(logits(network), before)
    assert all(torch.equal(value, own[name]) for name, value in adapters.copied(network).items())
