"""A model folder on disk: its configuration, its manifest, and clear errors when it is not there or not itself."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
# What config.json names the networks that the engine runs.
LLAMA, QWEN2 = "llama", "qwen2"


class ModelMissingError(Exception):
    """The model folder is missing or incomplete; the text names the command that makes it."""


class ModelCorruptError(Exception):
    """A file of the model folder is not the one that its manifest names."""


@dataclass(frozen=True)
class LlamaConfig:
    """The architecture of a llama network; the names are those of transformers' config.json.

    `qkv_bias`: queries, keys and values have biases, as in a Qwen2 network, which is a llama one otherwise.
    `head_dim`: the size of a head where it is not the width shared out among them.
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    max_position_embeddings: int
    rope_theta: float
    rms_norm_eps: float
    tie_word_embeddings: bool
    eos_token_id: int
    head_dim: int | None = None
    qkv_bias: bool = False

    @property
    def head_size(self) -> int:
        return self.head_dim or self.hidden_size // self.num_attention_heads


@dataclass(frozen=True)
class ModelFolder:
    """What a served model is: where it lies, its name, and the SHA-256 over all its files."""

    path: Path
    name: str
    sha256: str
    config: LlamaConfig

    @property
    def weights(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def tokenizer(self) -> Path:
        return self.path / "tokenizer.json"


def open_folder(path: Path) -> ModelFolder:
    """Reads configuration and manifest of a converted model."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        values = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        command = f"python -m engine.convert --out {path.parent}"
        raise ModelMissingError(f"no model in {path}: make it with `{command}`") from error
    return ModelFolder(path, manifest["name"], manifest["sha256"], config_of(values))


def config_of(values: Mapping[str, Any]) -> LlamaConfig:
    """From the values of a config.json."""
    named = {each.name: values[each.name] for each in fields(LlamaConfig) if each.default is MISSING}
    return LlamaConfig(**named, head_dim=values.get("head_dim"), qkv_bias=values.get("model_type") == QWEN2)


def write_manifest(path: Path, about: Mapping[str, object]) -> None:
    """Makes a folder of files a model: `about` has at least its `name`; what the files are is added."""
    files = {file.name: sha256_of(file) for file in sorted(path.iterdir()) if file.name != MANIFEST}
    document = {**about, "files": files, "sha256": digest(files)}
    (path / MANIFEST).write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def verify(folder: ModelFolder) -> None:
    """Hashes every file again; raises ModelCorruptError for the first that the manifest does not name."""
    files = json.loads((folder.path / MANIFEST).read_text(encoding="utf-8"))["files"]
    for name, expected in files.items():
        if not (folder.path / name).exists() or sha256_of(folder.path / name) != expected:
            raise ModelCorruptError(f"{name} in {folder.path} is not the file that its manifest names: copy it again")
    if digest(files) != folder.sha256:
        raise ModelCorruptError(f"the manifest in {folder.path} does not name its own files: copy it again")


def digest(files: dict[str, str]) -> str:
    """SHA-256 over the names and SHA-256 of all files of a model: its identity."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
