import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from engine.folder import ModelCorruptError, write_manifest
from engine.versions.check import CandidateRefusedError
from engine.versions.repository import RepositoryError, Version, add, needed, remove, served_folder, versions
from engine.versions.rollout import Place, check, roll_back

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONFIG = {
    "vocab_size": 8,
    "hidden_size": 8,
    "intermediate_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 8,
    "rope_theta": 10000.0,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
    "eos_token_id": 1,
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The reasoner's folder of a repository, as it comes with the code."""
    folder = tmp_path / "reasoner"
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text('name: "reasoner"')
    (folder / "1" / "model.py").write_text("CODE = 1\n")
    (folder / "1" / "version.json").write_text('{"weights": "first"}')
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder of weights with its manifest."""
    folder = tmp_path / "models" / "second"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "model.safetensors").write_bytes(b"weights")
    write_manifest(folder, {"name": "second"})
    return folder


def test_numbers_only_go_up_and_old_content_comes_back_under_a_new_one(model: Path) -> None:
    second = add(model, "second", "b" * 64, NOW)
    third = add(model, "first", "a" * 64, NOW + HOUR)
    assert versions(model) == [Version(1, "first"), second, third]
    assert [version.number for version in versions(model)] == [1, 2, 3]


def test_every_version_is_served_by_the_same_code(model: Path) -> None:
    version = add(model, "second", "b" * 64, NOW)
    (model / "1" / "model.py").write_text("CODE = 2\n")
    assert (model / str(version.number) / "model.py").read_text() == "CODE = 2\n"


def test_a_replaced_version_is_needed_until_the_longest_episode_has_ended(model: Path) -> None:
    add(model, "second", "b" * 64, NOW)
    add(model, "third", "c" * 64, NOW + HOUR / 2)
    assert needed(versions(model), HOUR, NOW + HOUR / 2) == [1, 2, 3]
    assert needed(versions(model), HOUR, NOW + HOUR) == [2, 3]
    assert needed(versions(model), HOUR, NOW + 2 * HOUR) == [3]


def test_two_who_publish_at_once_do_not_overwrite_each_other(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = versions(model)
    add(model, "second", "b" * 64, NOW)
    monkeypatch.setattr("engine.versions.repository.versions", lambda _: first)  # who looked before the other wrote
    with pytest.raises(RepositoryError, match="version 2 was published by somebody else"):
        add(model, "third", "c" * 64, NOW)
    monkeypatch.undo()
    assert [version.weights for version in versions(model)] == ["first", "second"]
    assert not [folder for folder in model.iterdir() if folder.name.startswith(".")]


def test_a_version_that_was_withdrawn_leaves_nothing(model: Path) -> None:
    remove(model, add(model, "second", "b" * 64, NOW))
    assert versions(model) == [Version(1, "first")]


def test_what_is_missing_is_named_with_what_to_do(model: Path, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="name the model repository that Triton serves"):
        versions(tmp_path / "elsewhere")
    (model / "1" / "version.json").unlink()
    with pytest.raises(RepositoryError, match=r"version\.json does not say which weights are served: restore it"):
        versions(model)


def test_a_version_serves_the_weights_that_it_names(model: Path, weights: Path) -> None:
    sha256 = json.loads((weights / "manifest.json").read_text())["sha256"]
    version = add(model, "second", sha256, NOW)
    assert served_folder(model / str(version.number), weights.parent).sha256 == sha256


def test_a_changed_weight_file_is_refused_by_its_name(model: Path, weights: Path) -> None:
    version = add(model, "second", "", NOW)
    (weights / "model.safetensors").write_bytes(b"weightz")
    with pytest.raises(ModelCorruptError, match=r"model\.safetensors in .* is not the file that its manifest names"):
        served_folder(model / str(version.number), weights.parent)


def test_a_manifest_that_was_changed_is_refused(model: Path, weights: Path) -> None:
    version = add(model, "second", "", NOW)
    document = json.loads((weights / "manifest.json").read_text())
    (weights / "manifest.json").write_text(json.dumps(document | {"sha256": "0" * 64}))
    with pytest.raises(ModelCorruptError, match="does not name its own files"):
        served_folder(model / str(version.number), weights.parent)


async def test_a_roll_back_to_weights_that_were_overwritten_is_refused(model: Path, weights: Path) -> None:
    add(model, "second", "c" * 64, NOW)
    add(model, "third", "d" * 64, NOW)
    with pytest.raises(RepositoryError, match=r"version 2 was cccccccccccc, second holds .* put those weights back"):
        await roll_back(Place(model, weights.parent, (), HOUR), 2)
    with pytest.raises(RepositoryError, match="no version 7 to roll back to"):
        await roll_back(Place(model, weights.parent, (), HOUR), 7)


async def test_a_candidate_with_another_tokenizer_is_refused(model: Path, weights: Path) -> None:
    (weights.parent / "first").mkdir()
    (weights.parent / "first" / "tokenizer.json").write_text('{"model": {"vocab": {"a": 0, "b": 1}}}')
    (weights / "tokenizer.json").write_text('{"model": {"vocab": {"b": 0, "a": 1}}}')
    write_manifest(weights, {"name": "second"})
    with pytest.raises(CandidateRefusedError, match="is not that of the live version"):
        await check(Place(model, weights.parent, (), HOUR), "second")


def test_other_weights_under_the_published_name_are_refused(model: Path, weights: Path) -> None:
    version = add(model, "second", "c" * 64, NOW)
    with pytest.raises(ModelCorruptError, match="cccccccccccc was published"):
        served_folder(model / str(version.number), weights.parent)
