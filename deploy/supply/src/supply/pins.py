"""Python packages as they are pinned in requirements/*.txt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pip_requirements_parser import RequirementsFile

if TYPE_CHECKING:
    from pathlib import Path

_ALGORITHM = "sha256:"


@dataclass(frozen=True)
class Pin:
    """One package at one version, with the SHA-256 of each file that may be installed of it."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


class UnpinnedError(Exception):
    """A line of a lock file is no pin."""


def normal(name: str) -> str:
    """A name as package indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(file: Path) -> list[Pin]:
    """Every package of a lock file; UnpinnedError names one without version or hash."""
    parsed = RequirementsFile.from_file(str(file))
    wrong = [line.line for line in parsed.invalid_lines]
    if wrong:
        raise UnpinnedError(f"{file.name}: {wrong[0]}")
    return [_pin(file.name, requirement) for requirement in parsed.requirements]


def _pin(file: str, requirement: Any) -> Pin:
    name, version = requirement.name, requirement.get_pinned_version
    hashes = [text.removeprefix(_ALGORITHM) for text in requirement.hash_options]
    if not (name and version and hashes):
        raise UnpinnedError(f"{file}: {name} has no version or no hash")
    return Pin(normal(name), version, tuple(sorted(hashes)))
