from pathlib import Path

import pytest
import torch
from engine.folder import LLAMA, QWEN2, ModelFolder
from engine.llama import Llama

from libs.training.tests.unit.tiny import CONFIG, QWEN2_CONFIG, folder_of, made


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(params=[CONFIG, QWEN2_CONFIG], ids=[LLAMA, QWEN2])
def network(request: pytest.FixtureRequest) -> Llama:
    return made(config=request.param)


@pytest.fixture
def folder(tmp_path: Path, network: Llama) -> ModelFolder:
    return folder_of(network, tmp_path / "tiny")
