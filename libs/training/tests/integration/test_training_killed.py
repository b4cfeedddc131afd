"""A process that trains is killed, and goes on to the end that it would have had."""

import signal
import subprocess
import sys
from pathlib import Path

import torch
from training import adapters

from libs.training.tests.integration.train_tiny import RECIPE, train

ROOT = Path(__file__).resolve().parents[4]


def test_a_training_that_is_killed_goes_on_to_the_same_end(tmp_path: Path) -> None:
    for step in (0, 4, 9):  # before there is a checkpoint, and one and two steps behind one
        _killed_after(step, tmp_path / "killed")
    resumed, whole = train(tmp_path / "killed"), train(tmp_path / "whole")
    assert resumed.state.step == RECIPE.steps
    assert resumed.state.curve == whole.state.curve
    expected = adapters.copied(whole.network)
    assert all(torch.equal(value, expected[name]) for name, value in adapters.copied(resumed.network).items())


def _killed_after(step: int, folder: Path) -> None:
    command = [sys.executable, "-m", "libs.training.tests.integration.train_tiny", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if int(line) == step:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
