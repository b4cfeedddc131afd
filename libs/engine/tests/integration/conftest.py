"""The real model, converted once into the repository's var/models."""

from pathlib import Path

import pytest
from engine import ModelFolder, open_folder
from engine.convert import convert
from engine.grammar import Grammars
from engine.llama import Llama, load
from tokenizers import Tokenizer

MODELS = Path(__file__).resolve().parents[4] / "var" / "models"


@pytest.fixture(scope="session")
def folder() -> ModelFolder:
    return open_folder(convert(MODELS))


@pytest.fixture(scope="session")
def network(folder: ModelFolder) -> Llama:
    return load(folder).eval()


@pytest.fixture(scope="session")
def tokenizer(folder: ModelFolder) -> Tokenizer:
    return Tokenizer.from_file(str(folder.tokenizer))


@pytest.fixture(scope="session")
def grammars(folder: ModelFolder) -> Grammars:
    return Grammars(folder.tokenizer, folder.config.vocab_size, [folder.config.eos_token_id])
