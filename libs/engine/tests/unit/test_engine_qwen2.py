"""A Qwen2 network of a few thousand random weights, from the files of transformers and from a GGUF file."""

import json
import random
from collections.abc import Callable
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
from safetensors.torch import load_file, save_file
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

ABOUT = {"name": "tiny", "title": "tiny", "licence": "none"}
IDS = [5, 40, 7, 99, 260, 3, 17, 17, 80]
# As Qwen2's own, the vocabulary is larger than the tokenizer's.
VOCABULARY = 352
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Largest difference of logits and of log-probabilities to transformers in float32.
SAME = 3e-5


def _peer(*, tied: bool, **more: Any) -> Any:
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
        rms_norm_eps=1e-6,
        tie_word_embeddings=tied,
        bos_token_id=0,
        eos_token_id=1,
        **more,
    )
    made: Any = Qwen2ForCausalLM(config)
    made.eval()
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return made


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def peer(request: pytest.FixtureRequest) -> Any:
    return _peer(tied=request.param)


def _save(peer: Any, tokenizer: Path, source: Path, **sizes: str) -> Path:
    """A folder as transformers writes it, with the tokenizer of Qwen2."""
    peer.save_pretrained(source, **sizes)
    model = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]
    special: dict[str, Any] = {"eos_token": "<|im_end|>", "additional_special_tokens": ["<|im_start|>"]}
    merges: Any = [tuple(each) for each in model["merges"]]
    spelt = Qwen2Tokenizer(model["vocab"], merges, **special)
    spelt.chat_template = CHATML
    spelt.save_pretrained(source)
    return source


# For what has nothing to do with the head.
TIED = pytest.mark.parametrize("peer", [True], ids=["tied"], indirect=True)


@pytest.fixture
def checkpoint(peer: Any, tokenizer: Path, tmp_path: Path) -> Path:
    return _save(peer, tokenizer, tmp_path / "source")


def _change(file: Path, **values: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | values), encoding="utf-8")


def _logits(folder: ModelFolder) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = load(folder, threads=1)([Segment(0, 0, IDS, len(IDS))])
    return logits


def _of_peer(peer: Any, ids: list[int] = IDS) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = peer(torch.tensor([ids])).logits[0]
    return logits


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("sizes", [{}, {"max_shard_size": "20KB"}], ids=["one file", "shards"])
def test_logits_of_a_qwen2_network_are_those_of_transformers(
    peer: Any, tokenizer: Path, tmp_path: Path, dtype: torch.dtype, sizes: dict[str, str]
) -> None:
    source = _save(_peer(tied=peer.config.tie_word_embeddings).to(dtype), tokenizer, tmp_path / "source", **sizes)
    assert (len(list(source.glob("*.safetensors"))) > 2) == bool(sizes)
    folder = open_folder(convert(tmp_path / "models", source, ABOUT))
    assert folder.config.qkv_bias
    same = Qwen2ForCausalLM.from_pretrained(source, dtype=torch.float32)
    assert torch.allclose(_logits(folder), _of_peer(same), atol=SAME)
    assert (_of_peer(same) - _of_peer(peer)).abs().max() > SAME or dtype is torch.float32


def test_heads_of_another_size_than_the_width_shared_out(tokenizer: Path, tmp_path: Path) -> None:
    wide = _peer(tied=False, head_dim=16)
    folder = open_folder(convert(tmp_path / "models", _save(wide, tokenizer, tmp_path / "source"), ABOUT))
    assert torch.allclose(_logits(folder), _of_peer(wide), atol=SAME)


@TIED
@pytest.mark.parametrize("part", ["q_proj", "k_proj", "v_proj"])
def test_its_biases_have_a_say(peer: Any, checkpoint: Path, tmp_path: Path, part: str) -> None:
    network = load(open_folder(convert(tmp_path / "models", checkpoint, ABOUT)), threads=1)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith(f"{part}.bias"):
                weight.zero_()
        assert not torch.allclose(network([Segment(0, 0, IDS, len(IDS))]), _of_peer(peer), atol=1e-2)


def test_cached_token_by_token_and_side_by_side_the_logits_are_the_same(
    peer: Any, checkpoint: Path, tmp_path: Path
) -> None:
    """Four sequences of unequal lengths; the last two go on from the beginning of the first."""
    chance = random.Random(8)
    first, second, *rest = ([chance.randrange(320) for _ in range(length)] for length in (40, 7, 9, 30))
    sequences = [first, second, *(first[:25] + more for more in rest)]
    runner = Runner(load(open_folder(convert(tmp_path / "models", checkpoint, ABOUT)), threads=1), 4, 64)
    made = [[each] for each in runner.forward([Segment(0, 0, first[:30], 30), Segment(1, 0, second[:3], 3)])]
    for slot in (2, 3):
        runner.copy_prefix(0, slot, 25)
    beginnings = [Segment(2, 25, rest[0][:1], 1), Segment(3, 25, rest[1][:20], 20)]
    made += [[made[0][0][:25], logits] for logits in runner.forward(beginnings)]
    ends = [30, 3, 26, 45]
    while left := [slot for slot, ids in enumerate(sequences) if ends[slot] < len(ids)]:
        segments = [Segment(slot, ends[slot], [sequences[slot][ends[slot]]], 1) for slot in left]
        for slot, logits in zip(left, runner.forward(segments), strict=True):
            made[slot].append(logits)
            ends[slot] += 1
    gaps = [
        np.abs(np.concatenate(own) - _of_peer(peer, ids).numpy()).max()
        for ids, own in zip(sequences, made, strict=True)
    ]
    print(f"largest difference of logits to transformers: {max(gaps):.1e}")
    assert max(gaps) < SAME


@pytest.mark.parametrize(("precision", "gap"), [("float32", SAME), ("float64", 1e-5)])
def test_what_is_served_in_batches_has_the_log_probabilities_of_transformers(
    peer: Any, checkpoint: Path, tmp_path: Path, precision: Any, gap: float
) -> None:
    folder = open_folder(convert(tmp_path / "models", checkpoint, ABOUT))
    runner = Runner(load(folder, threads=1), 4, 128, precision)
    scheduler = Scheduler(runner, Grammars(folder.tokenizer, VOCABULARY, [1]))
    chance = random.Random(3)
    shared = [chance.randrange(320) for _ in range(20)]
    prompts = [(*shared, *(chance.randrange(320) for _ in range(more))) for more in (1, 30, 4, 17, 2, 9)]
    answers = [Chunk() for _ in prompts]
    for seed, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        asked = Request(prompt, 12, Sampling(temperature=1.0, seed=seed))
        scheduler.submit(scheduler.prepare(asked, answer.extend))  # type: ignore[arg-type]
    while scheduler.step():
        pass
    assert scheduler.counts.reused >= 2 * len(shared)
    same = Qwen2ForCausalLM.from_pretrained(checkpoint, dtype=getattr(torch, precision))
    for prompt, answer in zip(prompts, answers, strict=True):
        numbers = _of_peer(same, [*prompt, *answer.output_ids])[len(prompt) - 1 : -1].log_softmax(-1)
        chosen = numbers.gather(1, torch.tensor(answer.output_ids)[:, None])[:, 0]
        assert answer.log_probs == pytest.approx(chosen.tolist(), abs=gap)


@TIED
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
        [other for _, other, forced in pairs if not forced], abs=SAME
    )
    assert not all(answer.forced)


@TIED
def test_its_chat_template_writes_the_turns_that_are_spoken_to_it(checkpoint: Path, tmp_path: Path) -> None:
    spelt = Tokenizer.from_json(convert(tmp_path / "models", checkpoint, ABOUT).joinpath("tokenizer.json").read_text())
    ours = [*spelt.turn("system", [spelt.encode("be short")]), *spelt.turn("user", [spelt.encode("F1?")])]
    turns = [{"role": "system", "content": "be short"}, {"role": "user", "content": "F1?"}]
    theirs = Qwen2Tokenizer.from_pretrained(checkpoint).apply_chat_template(turns, add_generation_prompt=True)
    assert theirs["input_ids"] == [*ours, *spelt.prompt()]


@TIED
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("model_type", {"model_type": "qwen2_moe"}),
        (
            "use_sliding_window",
            {"use_sliding_window": True, "sliding_window": 64, "max_window_layers": 1, "layer_types": None},
        ),
        ("rope_scaling yarn", {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e6}}),
        ("rope_scaling linear", {"rope_parameters": None, "rope_scaling": {"type": "linear", "factor": 2.0}}),
        ("hidden_act", {"hidden_act": "gelu"}),
        ("quantization_config", {"quantization_config": {"quant_method": "gptq", "bits": 4}}),
        ("eos_token_id", {"eos_token_id": None}),
        ("hidden_size", {"hidden_size": "wide"}),
        ("tokens, the network 64", {"vocab_size": 64}),
        (r"mlp\.down_proj", {"intermediate_size": 64}),
        (r"layers\.2", {"num_hidden_layers": 2, "layer_types": None}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_be_computed_otherwise_is_refused_by_its_name(
    name: str, values: dict[str, object], checkpoint: Path, tmp_path: Path
) -> None:
    _change(checkpoint / "config.json", **values)
    with pytest.raises(ConversionError, match=name):
        convert(tmp_path / "models", checkpoint, ABOUT)
    assert not list((tmp_path / "models").iterdir())


def _without_a_shard(source: Path) -> None:
    (source / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-2.safetensors"}}')
    (source / "model.safetensors").unlink()


def _in_bytes(source: Path) -> None:
    weights = {name: value.to(torch.int8) for name, value in load_file(source / "model.safetensors").items()}
    save_file(weights, source / "model.safetensors")


@TIED
@pytest.mark.parametrize(
    ("text", "spoil"),
    [
        ("lacks model-2", _without_a_shard),
        ("lacks tokenizer", lambda source: (source / "tokenizer.json").unlink()),
        ("is torch.int8", _in_bytes),
        ("not ChatML", lambda source: (source / "chat_template.jinja").write_text("{{ messages[0].content }}")),
        ("byte-level", lambda source: _change(source / "tokenizer.json", decoder={"type": "Fuse"})),
    ],
)
def test_files_that_make_no_whole_model_are_refused(
    text: str, spoil: Callable[[Path], object], checkpoint: Path, tmp_path: Path
) -> None:
    spoil(checkpoint)
    with pytest.raises(ConversionError, match=text):
        convert(tmp_path / "models", checkpoint, ABOUT)
    assert not list((tmp_path / "models").iterdir())


def test_a_gguf_of_qwen2_gives_the_same_network_and_tokenizer(peer: Any, checkpoint: Path, tmp_path: Path) -> None:
    source = tmp_path / "tiny.gguf"
    _write_gguf(peer, checkpoint / "tokenizer.json", source)
    folder = open_folder(convert(tmp_path / "models", source, ABOUT))
    assert torch.allclose(_logits(folder), _of_peer(peer), atol=SAME)
    files = (folder.tokenizer, checkpoint / "tokenizer.json")
    own, other = (Tokenizer.from_json(file.read_text(encoding="utf-8")) for file in files)
    text = "trend F1 change, cafe\u0301 12.50 mg/dL\n\n  <|im_end|>"
    assert own.encode(text) == other.encode(text)
    assert own.turn("user", [own.encode(text)]) == other.turn("user", [other.encode(text)])


@TIED
@pytest.mark.parametrize(
    ("text", "add"),
    [
        ("rope_scaling yarn", lambda writer: writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)),
        ("rope_scaling linear", lambda writer: writer.add_rope_scaling_factor(4.0)),
        ("use_sliding_window", lambda writer: writer.add_sliding_window(64)),
        ("expert_count 8", lambda writer: writer.add_expert_count(8)),
        ("partial_rotary_factor 0.5", lambda writer: writer.add_rope_dimension_count(4)),
        ("not ChatML", lambda writer: writer.add_chat_template("{{ messages[0].content }}")),
        ("I32", lambda writer: writer.add_tensor("blk.0.attn_q.weight", np.zeros((32, 32), np.int32))),
        ("ffn_gate_inp", lambda writer: writer.add_tensor("blk.0.ffn_gate_inp.weight", np.zeros((4, 4), np.float32))),
        ("attn_k.bias|k_proj.bias", lambda writer: writer.add_tensor("blk.3.attn_k.bias", np.zeros(16, np.float32))),
    ],
)
def test_a_gguf_of_what_the_engine_has_no_way_of_is_refused(
    text: str, add: Callable[[gguf.GGUFWriter], None], peer: Any, checkpoint: Path, tmp_path: Path
) -> None:
    source = tmp_path / "tiny.gguf"
    _write_gguf(peer, checkpoint / "tokenizer.json", source, add)
    with pytest.raises(ConversionError, match=text):
        convert(tmp_path / "models", source, ABOUT)
    assert not list((tmp_path / "models").iterdir())


def _write_gguf(peer: Any, tokenizer: Path, path: Path, add: Callable[[gguf.GGUFWriter], None] | None = None) -> None:
    """As llama.cpp's converter writes a Qwen2 network: queries and keys as they are. `add` goes first."""
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
    if add:
        add(writer)
    for name, value in peer.state_dict().items():
        if _name(name) not in writer.tensors[0] and not (name == "lm_head.weight" and config.tie_word_embeddings):
            writer.add_tensor(_name(name), np.ascontiguousarray(value.numpy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokenizer(writer: gguf.GGUFWriter, model: dict[str, Any]) -> None:
    control = {each["id"]: each["content"] for each in model["added_tokens"]}
    spelt = {index: piece for piece, index in model["model"]["vocab"].items()} | control
    pieces = [spelt.get(index, f"[PAD{index}]") for index in range(VOCABULARY)]
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
        "lm_head": "output",
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
