"""Changes films the way hospitals do: position, exposure, sharpness, noise; turns some for the presentation head."""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional


def augment(films: Tensor, places: Tensor, random: Generator) -> tuple[Tensor, Tensor]:
    """[N, 1, S, S] in 0..1 -> the same shape and range; mirrored, moved, re-exposed, blurred, noisy.

    `places` (same shape, where the opacity is) moves along with its film and is not changed otherwise.
    """
    moved = _move(torch.cat([films, places], dim=1), random)
    films, places = moved[:, :1], moved[:, 1:]
    films = _blur_some(films, random)
    gamma = torch.exp(0.35 * _normal(films, random))
    gain, offset = 1 + 0.12 * _normal(films, random), 0.05 * _normal(films, random)
    films = films.clamp(1e-4, 1) ** gamma * gain + offset
    noise = torch.randn(films.shape, generator=random) * 0.03 * _uniform(films, random)
    return (films + noise).clamp(0, 1), places


def present(films: Tensor, random: Generator) -> tuple[Tensor, Tensor]:
    """Turns about a third and inverts about a tenth. Returns the films and their class (network.PRESENTATIONS)."""
    choice = torch.rand(len(films), generator=random)
    turns = torch.randint(1, 4, (len(films),), generator=random)
    kinds = torch.where(choice < 0.3, turns, torch.where(choice < 0.4, 4, 0))
    shown = films.clone()
    for kind in range(1, 4):
        shown[kinds == kind] = torch.rot90(films[kinds == kind], kind, dims=(2, 3))
    shown[kinds == 4] = 1.0 - films[kinds == 4]
    return shown, kinds


def _move(films: Tensor, random: Generator) -> Tensor:
    n = len(films)
    angle = 0.12 * torch.randn(n, generator=random)
    mirror = 1.0 - 2.0 * (torch.rand(n, generator=random) < 0.5).float()
    across = mirror * torch.exp(0.12 * torch.randn(n, generator=random))
    down = torch.exp(0.12 * torch.randn(n, generator=random))
    shift = 0.10 * torch.randn(n, 2, generator=random)
    sine, cosine = torch.sin(angle), torch.cos(angle)
    rows = [torch.stack([across * cosine, -sine, shift[:, 0]], 1), torch.stack([sine, down * cosine, shift[:, 1]], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1), list(films.shape), align_corners=False)
    return functional.grid_sample(films, grid, padding_mode="border", align_corners=False)


def _blur_some(films: Tensor, random: Generator) -> Tensor:
    """Half of the films lose the detail that 28-pixel films never had, so that sharpness cannot stand for a source."""
    side = int(torch.randint(24, 56, (1,), generator=random))
    small = functional.interpolate(films, size=(side, side), mode="area")
    coarse = functional.interpolate(small, size=films.shape[-2:], mode="bicubic", align_corners=False)
    chosen = torch.rand(len(films), 1, 1, 1, generator=random) < 0.5
    return torch.where(chosen, coarse, films)


def _normal(films: Tensor, random: Generator) -> Tensor:
    return torch.randn(len(films), 1, 1, 1, generator=random)


def _uniform(films: Tensor, random: Generator) -> Tensor:
    return torch.rand(len(films), 1, 1, 1, generator=random)
