"""A process that trains the tiny network in a folder and says each step: what a test kills."""

import sys
from pathlib import Path

import torch
from training import adapters
from training.adapters import Shape
from training.loop import Recipe, Training

from libs.training.tests.unit.tiny import Policy, made

RECIPE = Recipe(steps=14, learning_rate=3e-3, warm_up=2, save_every=3)


def train(folder: Path) -> Training:
    torch.set_num_threads(1)
    network = adapters.inject(made(), Shape(rank=2), seed=5)
    training = Training(network, RECIPE, folder)
    training.run(Policy(network), lambda figures: print(int(figures["step"]), flush=True))
    return training


if __name__ == "__main__":
    train(Path(sys.argv[1]))
