"""A stack's account of itself on disk: written by its supervisor, read by everybody else.

The file is always whole (replaced in one step), and holds no secret.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self

from native_stack.identity import ProcessIdentity

Phase = Literal["starting", "ready", "stopping", "stopped", "failed"]
PartState = Literal["waiting", "preparing", "starting", "ready", "stopping", "stopped", "killed", "died"]


@dataclass(slots=True)
class PartRecord:
    """One part. `start_seconds` is from the process's start to ready; `exit_code` is negative for a signal."""

    state: PartState = "waiting"
    process: ProcessIdentity | None = None
    prepare_seconds: float | None = None
    start_seconds: float | None = None
    exit_code: int | None = None


@dataclass(slots=True)
class StackRecord:
    """The whole stack; `failure` says why the phase is `failed`."""

    phase: Phase
    supervisor: ProcessIdentity
    control: str
    ports: dict[str, int]
    parts: dict[str, PartRecord] = field(default_factory=dict)
    failure: str = ""
    start_seconds: float | None = None

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """What is recorded there, or None when no stack ever ran."""
        try:
            raw = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        parts = {name: _part(row) for name, row in raw["parts"].items()}
        return cls(**_known(cls, raw) | {"supervisor": ProcessIdentity(**raw["supervisor"]), "parts": parts})

    def write(self, path: Path) -> None:
        """Replace the file."""
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_text(json.dumps(asdict(self), indent=2) + "\n")
        fresh.replace(path)


def _part(row: dict[str, Any]) -> PartRecord:
    process = None if row["process"] is None else ProcessIdentity(**row["process"])
    return PartRecord(**_known(PartRecord, row) | {"process": process})


def _known(kind: type[PartRecord | StackRecord], row: dict[str, Any]) -> dict[str, Any]:
    """Without what another version of this program wrote beside: its stack must still be found and stopped."""
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in row.items() if name in names}
