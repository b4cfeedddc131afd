"""A llama network of a few thousand random weights, and a byte-level tokenizer trained here: real, and done in ms."""

import json
from pathlib import Path

import pytest
import torch
from engine.folder import LlamaConfig
from engine.grammar import Grammars
from engine.llama import Llama
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

CONFIG = LlamaConfig(
    vocab_size=320,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=2048,
    rope_theta=10000.0,
    rms_norm_eps=1e-5,
    tie_word_embeddings=True,
    eos_token_id=1,
)


@pytest.fixture
def network() -> Llama:
    torch.set_num_threads(1)
    torch.manual_seed(11)
    made = Llama(CONFIG)
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return made


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    special = [AddedToken("<|im_start|>", special=True), AddedToken("<|im_end|>", special=True)]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=alphabet)
    inner.train_from_iterator(["latest trend change medication finish F1 F2 F3 F10 F11"] * 20, trainer)
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    inner.save(str(file))
    return file


@pytest.fixture(scope="session")
def grammars(tokenizer: Path) -> Grammars:
    assert len(json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]) <= CONFIG.vocab_size
    return Grammars(tokenizer, CONFIG.vocab_size, [CONFIG.eos_token_id])
