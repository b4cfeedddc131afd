"""Draws synthetic frontal chest films: plainly not a person, yet with lungs, heart, ribs and, if asked, an opacity.

They let the demo and the tests show a film without anybody's data, and give the network films with a known place to
look at. A figure measured on phantoms says nothing about people; the model card keeps them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Film = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Phantom:
    """A film in 0..1 (more is whiter) and the boxes (left, top, width, height; fractions) of its opacities."""

    film: Film
    boxes: tuple[tuple[float, float, float, float], ...]

    @property
    def opacity(self) -> bool:
        """Whether an opacity was drawn."""
        return bool(self.boxes)


@dataclass(frozen=True, slots=True)
class Body:
    """The geometry of one phantom, in fractions of the film."""

    middle: float
    apex: float
    base: float
    inner: float
    outer: float
    heart: float
    air: float


def draw_phantom(seed: int, *, opacity: bool, side: int = 512) -> Phantom:
    """The same seed, choice and side always give the same film."""
    random = np.random.default_rng([seed, int(opacity)])
    body = _body(random)
    lungs = [_lung(body, sign, side) for sign in (-1, 1)]
    air = _smooth(np.maximum(*lungs) * (1.0 - _heart(body, side)), side * 0.008)
    film = _torso(body, side) - body.air * air
    film += _mediastinum(body, side) + _ribs(body, lungs, random, side)
    boxes = _add_opacities(film, lungs, body, random) if opacity else ()
    return Phantom(_finish(film, random), boxes)


def _body(random: Generator) -> Body:
    return Body(
        middle=0.5 + random.uniform(-0.03, 0.03),
        apex=random.uniform(0.10, 0.20),
        base=random.uniform(0.68, 0.82),
        inner=random.uniform(0.055, 0.075),
        outer=random.uniform(0.33, 0.41),
        heart=random.uniform(0.10, 0.13),
        air=random.uniform(0.34, 0.46),
    )


def _grid(side: int) -> tuple[Film, Film]:
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side
    return np.meshgrid(axis, axis)[0], np.meshgrid(axis, axis)[1]


def _smooth(image: Film, sigma: float) -> Film:
    blurred: Film = cv2.GaussianBlur(image, (0, 0), max(sigma, 0.5)).astype(np.float32)
    return blurred


def _torso(body: Body, side: int) -> Film:
    x, y = _grid(side)
    half = 0.44 - 0.16 * np.exp(-((y / 0.12) ** 2))
    inside = (np.abs(x - body.middle) < half).astype(np.float32)
    below = 0.16 / (1.0 + np.exp(-(y - body.base) / 0.02))
    drawn: Film = (_smooth(inside * (0.56 + below), side * 0.012)).astype(np.float32)
    return drawn


def _lung(body: Body, sign: int, side: int) -> Film:
    """A lung field: straight inner border, a rounded outer one, a dome of diaphragm below."""
    x, y = _grid(side)
    across = (x - body.middle) * sign
    down = np.clip((y - body.apex) / (body.base - body.apex), 0.0, 1.0)
    outer = body.outer * np.sqrt(np.clip(1.0 - (1.0 - down) ** 2.6, 0.0, 1.0)) * (0.93 + 0.07 * down)
    dome = body.base - 0.07 * np.exp(-(((across - 0.21) / 0.11) ** 2)) + 0.03 * (across > 0.3)
    field = (across > body.inner) & (across < outer) & (y > body.apex) & (y < dome)
    drawn: Film = (field).astype(np.float32)
    return drawn


def _heart(body: Body, side: int) -> Film:
    """Two thirds to the patient's left, which is the right of the film."""
    x, y = _grid(side)
    centre_x, centre_y = body.middle + 0.06, body.base - 0.14
    across = (x - centre_x - 0.35 * (y - centre_y)) / body.heart
    drawn: Film = (across**2 + ((y - centre_y) / 0.155) ** 2 < 1.0).astype(np.float32)
    return drawn


def _mediastinum(body: Body, side: int) -> Film:
    """Spine with its discs, aortic knuckle, both hila."""
    x, y = _grid(side)
    spine = 0.13 * np.exp(-(((x - body.middle) / 0.04) ** 2)) * (1.0 + 0.12 * np.cos(2 * np.pi * y / 0.055))
    knuckle = np.exp(-(((x - body.middle - 0.055) / 0.03) ** 2) - ((y - body.apex - 0.17) / 0.04) ** 2)
    hila = sum(
        np.exp(-(((x - body.middle - s * 0.10) / 0.035) ** 2) - ((y - body.apex - 0.27) / 0.06) ** 2) for s in (-1, 1)
    )
    drawn: Film = (spine + 0.08 * _smooth(_heart(body, side), side * 0.02) + 0.16 * knuckle + 0.10 * hila).astype(
        np.float32
    )
    return drawn


def _ribs(body: Body, lungs: list[Film], random: Generator, side: int) -> Film:
    """Posterior ribs as arcs over the lung fields, and vessels as branching noise."""
    x, y = _grid(side)
    pitch = random.uniform(0.062, 0.072)
    arch = 0.9 * (np.abs(x - body.middle) - 0.18) ** 2 * 2.2
    ribs = np.clip(np.cos(2 * np.pi * (y + arch) / pitch), 0.1, 1.0) ** 2
    coarse = cv2.resize(random.normal(0, 1, (40, 40)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    fields = _smooth(np.maximum(*lungs), side * 0.01)
    near_hilum = np.exp(-(((np.abs(x - body.middle) - 0.1) / 0.16) ** 2))
    drawn: Film = (fields * (random.uniform(0.05, 0.09) * ribs + 0.035 * np.abs(coarse) * near_hilum)).astype(
        np.float32
    )
    return drawn


def _add_opacities(
    film: Film, lungs: list[Film], body: Body, random: Generator
) -> tuple[tuple[float, float, float, float], ...]:
    """Cloud-like consolidations inside the lung fields, drawn into `film`."""
    return tuple(_add_opacity(film, lungs, body, random) for _ in range(int(random.integers(1, 3))))


def _add_opacity(film: Film, lungs: list[Film], body: Body, random: Generator) -> tuple[float, float, float, float]:
    side = film.shape[0]
    x, y = _grid(side)
    lung = lungs[int(random.integers(0, 2))]
    rows, columns = np.nonzero(lung[: int(side * (body.base - 0.08))])
    pick = int(random.integers(0, len(rows)))
    centre_x, centre_y = columns[pick] / side, max(rows[pick] / side, body.apex + 0.12)
    half_x, half_y = random.uniform(0.07, 0.14), random.uniform(0.08, 0.16)
    cloud = cv2.resize(random.normal(0, 1, (24, 24)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    distance = ((x - centre_x) / half_x) ** 2 + ((y - centre_y) / half_y) ** 2 + 0.35 * cloud
    patch = _smooth((distance < 1.0).astype(np.float32), side * 0.015) * _smooth(lung, side * 0.01)
    film += random.uniform(0.26, 0.40) * patch
    inside = np.argwhere(patch > 0.4)
    top, left = inside.min(axis=0) / side if len(inside) else (centre_y, centre_x)
    bottom, right = (inside.max(axis=0) + 1) / side if len(inside) else (centre_y, centre_x)
    return float(left), float(top), float(right - left), float(bottom - top)


def _finish(film: Film, random: Generator) -> Film:
    """Scatter, quantum noise and the exposure of an ordinary film."""
    side = film.shape[0]
    blurred = _smooth(film, side * 0.0025) + 0.08 * _smooth(film, side * 0.05)
    noisy = blurred + random.normal(0, random.uniform(0.006, 0.014), film.shape)
    low, high = np.percentile(noisy, (0.2, 99.8))
    exposed = np.clip((noisy - low) / (high - low), 0.0, 1.0) ** random.uniform(0.85, 1.2)
    drawn: Film = (0.03 + 0.94 * exposed).astype(np.float32)
    return drawn
