"""The state of a training on disk: whole or not there, whatever happens while it is written.

A file is written beside, forced to the disk and then renamed; the one before stays until the new one is there.
"""

import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

Figures = dict[str, float]

_NAME, _PART = "step-{:08d}.pt", ".part"
_KEPT = 2


class CheckpointError(Exception):
    """A state could not be written or read; the text says which, why, and what is left."""


@dataclass(slots=True)
class State:
    """All that the next step depends on. `recipe`: what it was made by; `reference`: the adapter that it began with."""

    recipe: str
    step: int
    adapter: dict[str, Tensor]
    reference: dict[str, Tensor]
    optimiser: dict[str, Any]
    random: Tensor
    bad: int = 0  # steps in a row that were no numbers
    idle: int = 0  # steps in a row with nothing to learn
    curve: list[Figures] = field(default_factory=list)


def write(folder: Path, state: State) -> Path:
    """Adds a checkpoint and removes all but the last two."""
    target = folder / _NAME.format(state.step)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_whole(target, _serialised(state))
    except OSError as error:
        target.with_suffix(_PART).unlink(missing_ok=True)
        left = steps(folder)
        kept = f"the last whole one is of step {left[-1]}" if left else "there is none before it"
        raise CheckpointError(f"no checkpoint of step {state.step}: {error.strerror}; {kept}") from error
    for old in steps(folder)[:-_KEPT]:
        (folder / _NAME.format(old)).unlink()
    return target


def newest(folder: Path) -> State | None:
    """The last state; None where there is none. What a killed process left half written is removed."""
    for part in folder.glob(f"*{_PART}"):
        part.unlink()
    left = steps(folder)
    return read(folder / _NAME.format(left[-1])) if left else None


def read(file: Path) -> State:
    try:
        values = torch.load(file, weights_only=True)
        return State(**values)
    except Exception as error:
        raise CheckpointError(f"{file.name} is no checkpoint: {type(error).__name__}") from error


def steps(folder: Path) -> list[int]:
    """Of the whole checkpoints, oldest first."""
    return sorted(int(file.stem.removeprefix("step-")) for file in folder.glob("step-*.pt"))


def _serialised(state: State) -> bytes:
    stream = io.BytesIO()  # in memory first: torch hides from which error of the disk a file suffers
    torch.save({name: getattr(state, name) for name in State.__dataclass_fields__}, stream)
    return stream.getvalue()


def _write_whole(target: Path, content: bytes) -> None:
    part = target.with_suffix(_PART)
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name, too
    finally:
        os.close(folder)
