"""Each library that carries meaning is usable alone: its page's example runs with what it declares and nothing else.

The library is built and installed into an empty folder; beside it lie only the packages that it declares, and what
those need, as they are installed here. No network is needed.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
OWN = "longitude-"
EXAMPLE = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("library", ["grounding", "harness", "consult", "engine", "training"])
def test_the_example_of_its_page_runs_with_nothing_but_what_it_declares(library: str, tmp_path: Path) -> None:
    found = EXAMPLE.search((ROOT / "libs" / library / "README.md").read_text(encoding="utf-8"))
    assert found, "the page has an example and what it prints"
    install(library, tmp_path)
    example = f"import sys\nsys.path.append({str(tmp_path)!r})\n{found[1]}"
    # Isolated, and without site: only the standard library and that folder.
    command = [sys.executable, "-I", "-S", "-c", example]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == (found[2], 0), done.stderr


def install(library: str, folder: Path) -> None:
    """Our own packages built from their folders, the others as links."""
    needed = sorted(needs(OWN + library))
    own = [f"./libs/{name.removeprefix(OWN)}" for name in needed if name.startswith(OWN)]
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    options = ["--quiet", "--offline", "--no-deps", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([uv, "pip", "install", *options, "--target", str(folder), *own], cwd=ROOT, check=True, timeout=120)
    for name in needed:
        if not name.startswith(OWN):
            link(distribution(name), folder)


def needs(name: str) -> set[str]:
    """The package, and everything that it declares or that those declare, as far as it is installed here."""
    wanted, found = [name], set[str]()
    while wanted:
        one = wanted.pop().lower().replace("_", "-")
        if one not in found and installed(one):
            found.add(one)
            wanted += declared(one)
    return found


def declared(name: str) -> Iterator[str]:
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name


def installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def link(package: Distribution, folder: Path) -> None:
    """Its modules and metadata, by their first name."""
    for first in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
        if not (folder / first).exists():
            (folder / first).symlink_to(str(package.locate_file(first)))
