"""Licences of what is pinned for Triton's image and not installed here, from its wheels' metadata (`make lock`)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supply import places
from supply.licences import expression_of
from supply.pins import normal, read_pins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supply.licences import Policy

# Of Triton's image: Python 3.12 and glibc 2.39 on x86-64 take every wheel that is made for an older glibc.
_PLATFORMS = ("manylinux1_x86_64", "manylinux2014_x86_64", *(f"manylinux_2_{minor}_x86_64" for minor in range(5, 40)))


def record(policy: Policy, file: Path = places.VLLM_LICENCES) -> None:
    """Write them down by name."""
    pins = [f"{pin.name}=={pin.version}" for pin in read_pins(places.REQUIREMENTS / "vllm.txt") if not _here(pin.name)]
    licences = {name: licence for name, licence in _licences(policy, pins) if licence}
    file.write_text(json.dumps(licences, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _here(name: str) -> bool:
    return bool(list(metadata.distributions(name=name)))


def _licences(policy: Policy, pins: list[str]) -> Iterator[tuple[str, str | None]]:
    for told in _metadata(pins):
        name = normal(told["name"])
        classifiers = [text for text in told.get("classifier", []) if text.startswith("License :: ")]
        yield name, expression_of(policy, name, told.get("license_expression"), told.get("license"), classifiers)


def _metadata(pins: list[str]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
        command += ["--report", str(report), "--target", folder, "--only-binary", ":all:", "--python-version", "3.12"]
        command += [word for platform in _PLATFORMS for word in ("--platform", platform)]
        subprocess.run([*command, *pins], check=True)  # noqa: S603 - pip itself
        return [each["metadata"] for each in json.loads(report.read_text())["install"]]
