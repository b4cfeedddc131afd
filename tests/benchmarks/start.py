"""How long a stranger waits: a fresh clone, its installation, the stack's start."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.results import ROOT, Result

# The parts of the stack that are started; all of them where none is named. Without Triton no weights are converted.
FULL: Sequence[str] = ()
SHORT: Sequence[str] = ("postgres",)


def run(parts: Sequence[str] = FULL) -> Result:
    """Clone this commit, install it with its own Makefile, bring the stack up and down."""
    with tempfile.TemporaryDirectory(prefix="longitude-bench-") as folder:
        # PostgreSQL never runs as root: its user must reach the programs of the clone.
        Path(folder).chmod(0o755)
        return _in(Path(folder) / "longitude", parts)


def _in(clone: Path, parts: Sequence[str]) -> Result:
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    figures = {"install_s": _seconds(["make", "--silent", "install"], clone)}
    if not parts or "triton" in parts:
        figures["convert_reasoner_s"] = _seconds(["make", "--silent", "models"], clone)
    python = str(clone / ".venv" / "bin" / "python")
    try:
        only = ["--only", ",".join(parts)] if parts else []
        figures["stack_up_s"] = _seconds([python, "-m", "native_stack", "up", "--free-ports", *only], clone)
        started = json.loads((clone / "var" / "stack.json").read_text())["parts"]
    finally:
        subprocess.run([python, "-m", "native_stack", "down"], cwd=clone, check=True)
        shutil.rmtree(clone)
    ready = {f"{name}_ready_s": part["start_seconds"] for name, part in started.items()}
    return Result(name="start", n=1, figures=figures | ready, note="installation uses the package client's cache")


def _seconds(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, timeout=1800)
    return time.perf_counter() - began
