"""Low-rank adapters (LoRA, arXiv 2106.09685) on the engine's network: in the files of peft, and merged into a folder.

Guarantees: what is saved is at most 64 MiB or an error; a merged folder appears whole or not at all, with a manifest of
its own; merged weights give the adapter's logits.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from engine.folder import MANIFEST, ModelFolder, open_folder, sha256_of, write_manifest
from engine.llama import Llama, load
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

EVERYWHERE = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
MOST_BYTES = 64 * 1024 * 1024
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
# Before the names of an engine's weights in the files of peft, whose own models wrap the network.
_PREFIX = "base_model.model."


class AdapterError(Exception):
    """The adapter does not fit the network, or is too large to keep; the text says which."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Rank, scale (`alpha` / rank) and the linear layers that are adapted, from the layer `since` on: those before it
    are computed without gradients.
    """

    rank: int = 8
    alpha: int = 16
    targets: tuple[str, ...] = EVERYWHERE
    since: int = 0


def inject(network: Llama, shape: Shape, seed: int) -> Llama:
    """Adapts the network in place; only the adapter learns. It changes nothing before its first step: B is 0."""
    import peft  # noqa: PLC0415 - takes seconds to import

    config = peft.LoraConfig(
        r=shape.rank,
        lora_alpha=shape.alpha,
        target_modules=list(shape.targets),
        layers_to_transform=list(range(shape.since, network.config.num_hidden_layers)),
        lora_dropout=0.0,
        bias="none",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        peft.inject_adapter_in_model(config, network)
    return network


def tensors(network: nn.Module) -> dict[str, nn.Parameter]:
    """The weights that learn, by their names in the network."""
    return {name: weight for name, weight in network.named_parameters() if weight.requires_grad}


def copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in tensors(network).items()}


def put(network: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Gives the adapter these values."""
    own = tensors(network)
    if own.keys() != values.keys():
        raise AdapterError(f"the adapter has other weights than the network: {sorted(own.keys() ^ values.keys())[:3]}")
    with torch.no_grad():
        for name, weight in own.items():
            weight.copy_(values[name])


@contextmanager
def swapped(network: nn.Module, values: Mapping[str, Tensor]) -> Iterator[None]:
    """The network with other values in its adapter, for a while and without gradients."""
    own = copied(network)
    put(network, values)
    try:
        with torch.no_grad():
            yield
    finally:
        put(network, own)


def save(network: Llama, shape: Shape, path: Path, base: str) -> Path:
    """Writes the folder `path` in the files of peft, in half precision; `base` names the model that it adapts."""
    values = {_to_file(name): value.half().contiguous() for name, value in copied(network).items()}
    if any(not torch.isfinite(value).all() for value in values.values()):
        raise AdapterError("a weight of the adapter is no finite number in half precision")
    size = sum(value.numel() * value.element_size() for value in values.values())
    if size > MOST_BYTES:
        raise AdapterError(f"the adapter has {size} bytes, more than {MOST_BYTES}: take a lower rank or fewer layers")
    path.mkdir(parents=True, exist_ok=True)
    save_file(values, path / WEIGHTS, metadata={"format": "pt"})
    document = json.dumps(_document(network, shape, base), indent=2, sort_keys=True)
    (path / CONFIG).write_text(document + "\n", encoding="utf-8")
    return path


def shape_of(path: Path) -> Shape:
    """Of an adapter's folder."""
    values = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    since = min(values.get("layers_to_transform") or [0])
    return Shape(values["r"], values["lora_alpha"], tuple(values["target_modules"]), since)


def values_of(path: Path) -> dict[str, Tensor]:
    """The weights of an adapter's folder, by their names in the network, in single precision."""
    return {_to_network(name): value.float() for name, value in load_file(path / WEIGHTS).items()}


def adapted(network: Llama, path: Path) -> Llama:
    """The network with the adapter of the folder `path`."""
    inject(network, shape_of(path), seed=0)
    put(network, values_of(path))
    return network


def merged(folder: ModelFolder, adapter: Path, out: Path, about: Mapping[str, object]) -> ModelFolder:
    """Writes the model folder `out`: `folder` with the adapter in its weights. `about` goes into the manifest."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".merging-") as scratch:
        made = Path(scratch) / out.name
        shutil.copytree(folder.path, made, ignore=shutil.ignore_patterns(MANIFEST, folder.weights.name))
        save_file(merged_weights(folder, adapter), made / folder.weights.name, metadata={"format": "pt"})
        (made / folder.weights.name).chmod(0o644)
        write_manifest(made, _manifest(folder, adapter, out.name) | dict(about))
        shutil.rmtree(out, ignore_errors=True)
        made.rename(out)
    return open_folder(out)


def merged_weights(folder: ModelFolder, adapter: Path) -> dict[str, Tensor]:
    """All weights of the network, W + (alpha / rank) B A where it is adapted."""
    network = adapted(load(folder, torch.get_num_threads()), adapter)
    changes = {
        f"{name}.base_layer.weight": module.get_delta_weight("default").detach()
        for name, module in network.named_modules()
        if hasattr(module, "get_delta_weight")
    }
    return {
        name.replace(".base_layer.", "."): (value + changes[name] if name in changes else value).contiguous()
        for name, value in network.state_dict().items()
        if ".lora_" not in name
    }


def _manifest(folder: ModelFolder, adapter: Path, name: str) -> dict[str, object]:
    before: dict[str, Any] = json.loads((folder.path / MANIFEST).read_text(encoding="utf-8"))
    kept = {key: value for key, value in before.items() if key not in ("files", "sha256", "name")}
    base = {"name": folder.name, "sha256": folder.sha256}
    return {**kept, "name": name, "base": base, "adapter": {"sha256": sha256_of(adapter / WEIGHTS)}}


def _document(network: Llama, shape: Shape, base: str) -> dict[str, object]:
    """What peft reads; everything else has its default."""
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": shape.rank,
        "lora_alpha": shape.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": list(shape.targets),
        "layers_to_transform": list(range(shape.since, network.config.num_hidden_layers)),
        "inference_mode": True,
    }


def _to_file(name: str) -> str:
    return _PREFIX + name.replace(".default.", ".")


def _to_network(name: str) -> str:
    return (
        name.removeprefix(_PREFIX)
        .replace("lora_A.weight", "lora_A.default.weight")
        .replace("lora_B.weight", "lora_B.default.weight")
    )
