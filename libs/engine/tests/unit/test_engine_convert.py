from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from engine.checkpoint import ConversionError
from engine.convert import _name, _unpermuted
from engine.folder import ModelMissingError, open_folder

Weights = npt.NDArray[np.float32]


def llama_cpp_permuted(weight: Weights, heads: int) -> Weights:
    """As convert_hf_to_gguf.py writes queries and keys."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


@pytest.mark.parametrize("heads", [1, 3, 9])
def test_queries_and_keys_are_put_back_as_transformers_keeps_them(heads: int) -> None:
    weight = np.arange(heads * 8 * 5, dtype=np.float32).reshape(heads * 8, 5)
    assert (_unpermuted(llama_cpp_permuted(weight, heads), heads) == weight).all()


def test_tensor_names_are_those_of_transformers() -> None:
    assert _name("blk.12.ffn_down.weight")[0] == "model.layers.12.mlp.down_proj.weight"
    assert _name("token_embd.weight")[0] == "model.embed_tokens.weight"
    with pytest.raises(ConversionError, match=r"rope_freqs\.weight"):
        _name("rope_freqs.weight")


def test_a_missing_model_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"python -m engine\.convert --out "):
        open_folder(tmp_path / "smollm2")
