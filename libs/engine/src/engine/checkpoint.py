"""A checkpoint as transformers writes it (config.json, safetensors in one file or several, tokenizer.json), taken over
as a model folder; and what is asked of every network that becomes one.

Guarantee: what the engine would compute otherwise than transformers is refused by its name, and not served.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from engine.folder import LLAMA, QWEN2, config_of, digest, sha256_of

# What the engine has one way of, by the names of config.json.
_ONLY: Mapping[str, tuple[Any, ...]] = {
    "model_type": (LLAMA, QWEN2),
    "hidden_act": ("silu",),
    "attention_bias": (False,),
    "mlp_bias": (False,),
    "use_sliding_window": (False,),
    "rope_scaling": (None,),
    "partial_rotary_factor": (None, 1.0),
    "expert_count": (None,),
    "quantization_config": (None,),
}
_DTYPES = (torch.float32, torch.bfloat16, torch.float16)
_SPOKEN = ("system", "user", "assistant", "user")


class ConversionError(Exception):
    """The source is missing or is not a model that the engine runs; the text says what to do."""


def copy(source: Path, folder: Path) -> dict[str, str]:
    """Writes the model's files into `folder`; what is to be said of the source. ConversionError."""
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - takes seconds, and only a conversion needs it

    names = _weight_files(source)
    missing = [name for name in ("config.json", "tokenizer.json", *names) if not (source / name).exists()]
    if missing:
        raise ConversionError(f"{source} lacks {', '.join(missing)}")
    config = _config(json.loads((source / "config.json").read_text(encoding="utf-8")))
    write_config(config, folder)
    check_tokenizer(PreTrainedTokenizerFast.from_pretrained(source), config["vocab_size"])
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    weights = {name: _single(name, value) for file in names for name, value in load_file(source / file).items()}
    if config["tie_word_embeddings"]:
        weights.pop("lm_head.weight", None)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return {"file": source.name, "sha256": digest({name: sha256_of(source / name) for name in names})}


def write_config(config: Mapping[str, Any], folder: Path) -> None:
    """ConversionError for a network that the engine would compute otherwise."""
    _refuse(config)
    if not isinstance(config["eos_token_id"], int):
        raise ConversionError("the configuration has no eos_token_id")
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def check_tokenizer(tokenizer: Any, vocabulary: int) -> None:
    """ConversionError for one that grammars cannot be compiled for, or of a network taught another chat format than
    ChatML, which is the one that is spoken to it. A tokenizer without a chat template is taken.
    """
    if "ByteLevel" not in str(tokenizer.backend_tokenizer.decoder):
        raise ConversionError("the tokenizer is not one of bytes (byte-level BPE)")
    if len(tokenizer) > vocabulary:
        raise ConversionError(f"the tokenizer has {len(tokenizer)} tokens, the network {vocabulary}")
    if not tokenizer.chat_template:
        return
    turns = [{"role": role, "content": f"text {number}"} for number, role in enumerate(_SPOKEN)]
    expected = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in turns)
    written = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    if written != f"{expected}<|im_start|>assistant\n":
        raise ConversionError("the network's chat template is not ChatML")


def check_weights(folder: Path) -> None:
    """Before a server would find out."""
    from engine.llama import Llama  # noqa: PLC0415 - sizes alone are asked of it

    config = config_of(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    with torch.device("meta"):
        wanted = {name: list(value.shape) for name, value in Llama(config).state_dict().items()}
    with safe_open(folder / "model.safetensors", "pt") as file:
        own = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 - it is no mapping
    other = sorted(name for name in wanted.keys() | own.keys() if wanted.get(name) != own.get(name))
    if other:
        raise ConversionError(f"the weights are not those of the configuration: {', '.join(other[:3])}")


def _refuse(config: Mapping[str, Any]) -> None:
    for name, value in config.items():
        if name in _ONLY and value not in _ONLY[name]:
            raise ConversionError(f"the engine does not run a network with {name} {value}")


def _weight_files(source: Path) -> list[str]:
    """As transformers chooses them: the one file, else those of the index."""
    index = source / "model.safetensors.index.json"
    if (source / "model.safetensors").exists() or not index.exists():
        return ["model.safetensors"]
    return sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))


def _config(values: dict[str, Any]) -> dict[str, Any]:
    """What transformers reads out of a config.json, its defaults included; rotations as its older versions had them."""
    from transformers import AutoConfig  # noqa: PLC0415 - as above

    _refuse({"model_type": values.get("model_type")})
    try:
        config: dict[str, Any] = AutoConfig.for_model(**values).to_dict()
    except Exception as error:
        raise ConversionError(f"transformers cannot read the configuration: {error}") from error
    rope = config.pop("rope_parameters")
    scaling = rope["rope_type"] if rope["rope_type"] != "default" else None
    config |= {"rope_theta": rope["rope_theta"], "rope_scaling": scaling, "dtype": "float32"}
    config["use_sliding_window"] = "sliding_attention" in (config.get("layer_types") or ())
    if isinstance(config["eos_token_id"], list):
        config["eos_token_id"] = config["eos_token_id"][0]
    return config


def _single(name: str, value: torch.Tensor) -> torch.Tensor:
    if value.dtype not in _DTYPES:
        raise ConversionError(f"{name} is {value.dtype}: the engine takes float32, bfloat16 and float16")
    return value.to(torch.float32).contiguous()
