"""What one image needs, and nothing else: `needs.py requirements memory`, `needs.py sources memory`.

A service's pyproject.toml names its own dependencies; requirements/runtime.txt pins everything that any service needs,
with hashes, and says in its `# via` notes which package needs which. `requirements` prints the pinned lines that are
reachable from the service and from this repository's libraries that it uses; `sources` prints the folders whose
content is put on the path. Only the standard library is used: this runs before anything is installed.
"""  # noqa: INP001 - a script that images run before anything is installed

import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OWN = "longitude-"
PROJECTS = ("libs/*/pyproject.toml", "services/*/pyproject.toml", "deploy/docker/triton/pyproject.toml")


@dataclass(frozen=True)
class Pinned:
    """One package as locked: its lines, and the packages that need it."""

    name: str
    lines: tuple[str, ...]
    needed_by: frozenset[str]


def normal(requirement: str) -> str:
    """The name of a requirement as package indexes compare names (PEP 503)."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def projects(root: Path = ROOT) -> dict[str, Path]:
    """This repository's own packages by name."""
    files = [file for pattern in PROJECTS for file in sorted(root.glob(pattern))]
    return {normal(str(_project(file)["name"])): file for file in files}


def _project(file: Path) -> dict[str, Any]:
    declared: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    return declared


def locked(root: Path = ROOT) -> dict[str, Pinned]:
    """Every package of the lock files."""
    blocks: list[list[str]] = []
    for name in ("runtime.txt", "no-deps.txt"):
        for line in (root / "requirements" / name).read_text(encoding="utf-8").splitlines():
            if re.match(r"[A-Za-z0-9]", line):
                blocks.append([line])
            elif line.strip() and blocks:
                blocks[-1].append(line)
    pinned = [_pinned(block) for block in blocks]
    return {package.name: package for package in reversed(pinned)}


def _pinned(block: list[str]) -> Pinned:
    notes = " ".join(line.strip().lstrip("#").removeprefix(" via") for line in block if line.strip().startswith("#"))
    lines = tuple(line for line in block if not line.strip().startswith("#"))
    needed_by = frozenset(normal(word) for word in notes.split() if not word.startswith("-") and "/" not in word)
    return Pinned(normal(block[0]), lines, needed_by)


def own_packages(component: str, root: Path = ROOT) -> list[Path]:
    """pyproject.toml of the component and of every library of this repository that it uses; KeyError if unknown."""
    known, wanted, found = projects(root), [OWN + component], dict[str, Path]()
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = known[name]
            wanted += [normal(need) for need in _needs(known[name]) if normal(need).startswith(OWN)]
    return list(found.values())


def requirements(component: str, root: Path = ROOT) -> list[Pinned]:
    """Every locked package that the component needs, directly or not; KeyError names one that is not locked."""
    packages = locked(root)
    direct = {normal(need) for file in own_packages(component, root) for need in _needs(file)}
    wanted, found = sorted(name for name in direct if not name.startswith(OWN)), set[str]()
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(packages[name].name)
            wanted += [other.name for other in packages.values() if name in other.needed_by]
    return [packages[name] for name in sorted(found)]


def _needs(file: Path) -> list[str]:
    return list(_project(file)["dependencies"])


def sources(component: str, root: Path = ROOT) -> list[Path]:
    """Folders with the code of the component and of its libraries."""
    folders = (file.parent / "src" for file in own_packages(component, root))
    return [folder.relative_to(root) for folder in folders if folder.is_dir()]


def main(arguments: list[str]) -> Iterable[str]:
    """The lines to print."""
    match arguments:
        case ["requirements", component]:
            return [line for package in requirements(component) for line in package.lines]
        case ["sources", component]:
            return [str(folder) for folder in sources(component)]
    raise SystemExit("usage: needs.py requirements|sources COMPONENT")


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in main(sys.argv[1:]))
