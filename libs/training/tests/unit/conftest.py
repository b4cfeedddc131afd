from pathlib import Path

import pytest
import torch
from engine.folder import ModelFolder
from engine.llama import Llama

from libs.training.tests.unit.tiny import folder_of, made


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def network() -> Llama:
    return made()


@pytest.fixture
def folder(tmp_path: Path, network: Llama) -> ModelFolder:
    return folder_of(network, tmp_path / "tiny")
