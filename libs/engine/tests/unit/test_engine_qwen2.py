"""A Qwen2 network of a few thousand random weights, from the files of transformers and from a GGUF file."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from engine import Chunk, ModelFolder, Request, Sampling, open_folder
from engine.batch import Scheduler
from engine.checkpoint import ConversionError
from engine.convert import convert
from engine.grammar import Grammars
from engine.llama import Runner, load
from engine.segment import Segment
from harness.tokenizer import Tokenizer
from transformers import Qwen2Config, Qwen2ForCausalLM

ABOUT = {"name": "tiny", "title": "tiny", "licence": "none"}
IDS = [5, 40, 7, 99, 260, 3, 17, 17, 80]
# As Qwen2's own, the vocabulary is larger than the tokenizer's.
VOCABULARY = 352


@pytest.fixture(scope="module")
def peer() -> Any:
    torch.manual_seed(5)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=1,
    )
    made: Any = Qwen2ForCausalLM(config)
    made.eval()
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return made


@pytest.fixture
def checkpoint(peer: Any, tokenizer: Path, tmp_path: Path) -> Path:
    """A folder as transformers writes it, in half precision."""
    source = tmp_path / "source"
    peer.save_pretrained(source)
    (source / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    return source


def _logits(folder: ModelFolder) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = load(folder, threads=1)([Segment(0, 0, IDS, len(IDS))])
    return logits


def _of_peer(peer: Any) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = peer(torch.tensor([IDS])).logits[0]
    return logits


def test_logits_of_a_qwen2_network_are_those_of_transformers(peer: Any, checkpoint: Path, tmp_path: Path) -> None:
    folder = open_folder(convert(tmp_path / "models", checkpoint, ABOUT))
    assert folder.config.qkv_bias
    assert torch.allclose(_logits(folder), _of_peer(peer), atol=1e-4)


def test_its_biases_have_a_say(peer: Any, checkpoint: Path, tmp_path: Path) -> None:
    network = load(open_folder(convert(tmp_path / "models", checkpoint, ABOUT)), threads=1)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith("q_proj.bias"):
                weight.zero_()
        assert not torch.allclose(network([Segment(0, 0, IDS, len(IDS))]), _of_peer(peer), atol=1e-2)


def test_it_is_served_under_a_grammar_and_scored_as_it_was_served(checkpoint: Path, tmp_path: Path) -> None:
    folder = open_folder(convert(tmp_path / "models", checkpoint, ABOUT))
    spelt = Tokenizer.from_json(folder.tokenizer.read_text(encoding="utf-8"))
    grammars = Grammars(folder.tokenizer, folder.config.vocab_size, [folder.config.eos_token_id])
    scheduler = Scheduler(Runner(load(folder, threads=1), slots=2, context=64), grammars)
    ids, answer = tuple(spelt.encode("finish F1")), Chunk()
    asked = Request(ids, 8, Sampling(seed=3), 'root ::= "latest F1" | "trend F2" | "trend F3"')
    scheduler.submit(scheduler.prepare(asked, lambda more: answer.extend(more) if isinstance(more, Chunk) else None))
    while scheduler.step():
        pass
    assert spelt.decode(answer.output_ids) in {"latest F1", "trend F2", "trend F3"}
    with torch.inference_mode():
        scored = load(folder, threads=1).log_probs(ids, answer.output_ids).tolist()
    # What was forced cost no forward, and has no number.
    pairs = list(zip(answer.log_probs, scored, answer.forced, strict=True))
    assert [one for one, _, forced in pairs if not forced] == pytest.approx(
        [other for _, other, forced in pairs if not forced], abs=1e-4
    )
    assert not all(answer.forced)


@pytest.mark.parametrize(
    ("name", "value"), [("model_type", "mamba"), ("use_sliding_window", True), ("hidden_act", "gelu")]
)
def test_what_would_be_computed_otherwise_is_refused_by_its_name(
    name: str, value: object, checkpoint: Path, tmp_path: Path
) -> None:
    file = checkpoint / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | {name: value}), encoding="utf-8")
    with pytest.raises(ConversionError, match=name):
        convert(tmp_path / "models", checkpoint, ABOUT)
    assert not list((tmp_path / "models").iterdir())


def test_weights_of_another_size_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    file = checkpoint / "config.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(values | {"intermediate_size": 64}), encoding="utf-8")
    with pytest.raises(ConversionError, match=r"mlp\.down_proj"):
        convert(tmp_path / "models", checkpoint, ABOUT)


def test_a_gguf_of_qwen2_gives_the_same_network_and_tokenizer(peer: Any, tokenizer: Path, tmp_path: Path) -> None:
    source = tmp_path / "tiny.gguf"
    _write_gguf(peer, tokenizer, source)
    folder = open_folder(convert(tmp_path / "models", source, ABOUT))
    assert torch.allclose(_logits(folder), _of_peer(peer), atol=1e-4)
    own, other = (Tokenizer.from_json(file.read_text(encoding="utf-8")) for file in (folder.tokenizer, tokenizer))
    assert own.encode("trend F1 change") == other.encode("trend F1 change")
    assert own.end == other.end


def _write_gguf(peer: Any, tokenizer: Path, path: Path) -> None:
    """As llama.cpp's converter writes a Qwen2 network: queries and keys as they are."""
    config = peer.config
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    _add_tokenizer(writer, json.loads(tokenizer.read_text(encoding="utf-8")))
    for name, value in peer.state_dict().items():
        if name != "lm_head.weight":
            writer.add_tensor(_name(name), np.ascontiguousarray(value.numpy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokenizer(writer: gguf.GGUFWriter, model: dict[str, Any]) -> None:
    spelt = {index: piece for piece, index in model["model"]["vocab"].items()}
    pieces = [spelt.get(index, f"[PAD{index}]") for index in range(VOCABULARY)]
    control = {each["id"] for each in model["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(pieces)
    writer.add_token_types(
        [gguf.TokenType.CONTROL if n in control else gguf.TokenType.NORMAL for n in range(VOCABULARY)]
    )
    writer.add_token_merges([" ".join(each) for each in model["model"]["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)


def _name(name: str) -> str:
    """In GGUF."""
    renamed = {
        "model.embed_tokens": "token_embd",
        "model.norm": "output_norm",
        "model.layers": "blk",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
        "post_attention_layernorm": "ffn_norm",
        "input_layernorm": "attn_norm",
    }
    for own, other in renamed.items():
        name = name.replace(own, other)
    return name
