"""Where the platform is: `LONGITUDE_*` in the environment, else `var/stack.env` in this folder or one above it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from client.errors import ClientError

PREFIX = "LONGITUDE_"
STACK_FILE = Path("var/stack.env")


@dataclass(frozen=True, slots=True)
class Stack:
    """Endpoints by name (`kafka`, `memory`, `mllp` ...), each host:port, and the folder of what was verified."""

    variables: Mapping[str, str]
    state: Path

    def endpoint(self, name: str) -> str:
        """host:port of a door; ClientError that names the variable if nobody set it."""
        variable = PREFIX + name.upper()
        try:
            return self.variables[variable]
        except KeyError:
            raise ClientError(
                f"{variable} is not set and no running stack was found: start one with `make up`, "
                f"or set {variable}=host:port"
            ) from None


def find(start: Path | None = None, environment: Mapping[str, str] | None = None) -> Stack:
    """The environment wins over the file, variable by variable."""
    variables = os.environ if environment is None else environment
    given = {name: value for name, value in variables.items() if name.startswith(PREFIX) and value}
    file = _stack_file(start or Path.cwd())
    from_file = _read(file) if file else {}
    state = file.parent if file else Path(variables.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "longitude"
    return Stack(from_file | given, state)


def _stack_file(start: Path) -> Path | None:
    candidates = (folder / STACK_FILE for folder in (start, *start.parents))
    return next((file for file in candidates if file.is_file()), None)


def _read(file: Path) -> dict[str, str]:
    """`NAME=value` lines, with or without `export` and quotes."""
    found: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("'\"")
    return found
