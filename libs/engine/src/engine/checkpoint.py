"""A checkpoint as transformers writes it (config.json, safetensors in one file or several, tokenizer.json), taken over
as a model folder.

Guarantee: what the engine would compute otherwise than transformers is refused by its name, and not served.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from engine.folder import LLAMA, QWEN2, config_of, digest, sha256_of

# What the engine has one way of, by the names of config.json.
_ONLY: Mapping[str, tuple[Any, ...]] = {
    "model_type": (LLAMA, QWEN2),
    "hidden_act": ("silu",),
    "attention_bias": (False, None),
    "mlp_bias": (False, None),
    "use_sliding_window": (False, None),
    "rope_scaling": (None,),
}


class ConversionError(Exception):
    """The source is missing or is not a model that the engine runs; the text says what to do."""


def copy(source: Path, folder: Path) -> dict[str, str]:
    """Writes the model's files into `folder`; what is to be said of the source. ConversionError."""
    files = {file.name: sha256_of(file) for file in sorted(source.glob("*.safetensors"))}
    if not (files and (source / "config.json").exists() and (source / "tokenizer.json").exists()):
        raise ConversionError(f"{source} must hold config.json, tokenizer.json and *.safetensors")
    config = _config(json.loads((source / "config.json").read_text(encoding="utf-8")))
    weights = {name: value for file in files for name, value in load_file(source / file).items()}
    if config["tie_word_embeddings"]:
        weights.pop("lm_head.weight", None)
    _check(weights, config)
    singles = {name: value.to(torch.float32).contiguous() for name, value in weights.items()}
    save_file(singles, folder / "model.safetensors", metadata={"format": "pt"})
    write_config(config, folder)
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    return {"file": source.name, "sha256": digest(files)}


def write_config(config: Mapping[str, Any], folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _config(values: dict[str, Any]) -> dict[str, Any]:
    """With what newer versions of transformers nest or leave out, where older ones have it."""
    rope = values.get("rope_parameters") or {}
    scaled = rope.get("rope_type", "default") != "default" or values.get("rope_scaling")
    config: dict[str, Any] = {"rope_theta": rope.get("rope_theta"), "tie_word_embeddings": False} | values
    config |= {"rope_scaling": scaled or None, "dtype": "float32"}
    config.pop("torch_dtype", None)
    if isinstance(config.get("eos_token_id"), list):
        config["eos_token_id"] = config["eos_token_id"][0]
    for name, ways in _ONLY.items():
        if config.get(name) not in ways:
            raise ConversionError(f"the engine does not run a network with {name} {config.get(name)}")
    if config.get("head_dim") not in (None, config["hidden_size"] // config["num_attention_heads"]):
        raise ConversionError("the engine does not run a network whose heads are not its width shared out")
    return config


def _check(weights: Mapping[str, torch.Tensor], config: Mapping[str, Any]) -> None:
    """Before a server would find out."""
    from engine.llama import Llama  # noqa: PLC0415 - sizes alone are asked of it

    with torch.device("meta"):
        wanted = {name: value.shape for name, value in Llama(config_of(config)).state_dict().items()}
    own = {name: value.shape for name, value in weights.items()}
    other = sorted(name for name in wanted.keys() | own.keys() if wanted.get(name) != own.get(name))
    if other:
        raise ConversionError(f"the weights are not those of the configuration: {', '.join(other[:3])}")
