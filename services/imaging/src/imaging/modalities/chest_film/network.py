"""The chest-film network: the one definition that training, Triton and the tests share.

A small residual network whose findings come from a global average over a linear map, so that a finding's logit is
exactly the mean of its activation map: the heat map shows what decided, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

SIDE = 96
"""Height and width, in pixels, of the input the network was trained on."""

FINDINGS = ("opacity",)
PROJECTIONS = ("PA", "AP")
PRESENTATIONS = ("upright", "turned left", "upside down", "turned right", "inverted")
"""How a film lies: rotated counter-clockwise by 0, 90, 180, 270 degrees, or upright with its grey scale inverted."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Raw outputs for a batch of N films: logits, and the activation maps whose mean is each finding's logit."""

    findings: Tensor
    """Logits, [N, len(FINDINGS)]."""
    projection: Tensor
    """Logits, [N, len(PROJECTIONS)]."""
    presentation: Tensor
    """Logits, [N, len(PRESENTATIONS)]."""
    maps: Tensor
    """Activation maps, [N, len(FINDINGS), h, w]."""


class Residual(nn.Module):
    """Two 3x3 convolutions with a shortcut; `stride` halves the map in the first."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        """Project the shortcut only where the shape changes."""
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        same = inputs == outputs and stride == 1
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, h, w] -> [N, outputs, h / stride, w / stride]."""
        return torch.relu(self.body(x) + self.shortcut(x))


class ChestFilmNetwork(nn.Module):
    """[N, 1, H, W] in 0..1, as `pipeline` makes them -> Reading. Any H and W divisible by 8; trained at SIDE."""

    def __init__(self) -> None:
        """About 0.7 M parameters."""
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 24, 5, 2, 2, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(inplace=True),
            Residual(24, 48, 2),
            Residual(48, 96, 2),
            Residual(96, 96, 1),
            Residual(96, 128, 1),
        )
        self.dropout = nn.Dropout2d(0.2)
        self.findings = nn.Conv2d(128, len(FINDINGS), 1)
        self.projection = nn.Linear(128, len(PROJECTIONS))
        self.presentation = nn.Linear(128, len(PRESENTATIONS))

    def forward(self, films: Tensor) -> Reading:
        """Run the trunk once; every head reads the same features."""
        features = self.dropout(self.trunk(films * 4.0 - 2.0))
        pooled = features.mean(dim=(2, 3))
        maps = self.findings(features)
        return Reading(maps.mean(dim=(2, 3)), self.projection(pooled), self.presentation(pooled), maps)
