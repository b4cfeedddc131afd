"""What a measurement leaves behind: `var/results/<name>.json`, its curves as pictures, and a printed table."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "var" / "results"


@dataclass(frozen=True, slots=True)
class Curve:
    """Lines over shared axes, each a list of (x, y)."""

    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Result:
    """Figures of one run; `peers` were measured beside them in the same run."""

    name: str
    figures: dict[str, float]
    n: int
    seed: int = 0
    peers: dict[str, dict[str, float]] = field(default_factory=dict)
    note: str = ""
    # By name; each becomes `var/results/<result>-<curve>.png`.
    curves: dict[str, Curve] = field(default_factory=dict)


def commit() -> str:
    """The commit that was measured, marked when the tree differs from it."""
    return subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def keep(result: Result, command: str, folder: Path = FOLDER) -> Path:
    """Write the file and the pictures, and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.name}.json"
    path.write_text(json.dumps(asdict(result) | {"commit": commit(), "command": command}, indent=2) + "\n")
    for name, curve in result.curves.items():
        _draw(curve, f"{result.name}: {name}", folder / f"{result.name}-{name}.png")
    Console(file=sys.stdout).print(_table(result))
    return path


def _draw(curve: Curve, title: str, path: Path) -> None:
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=curve.x, ylabel=curve.y)
    for name, points in curve.lines.items():
        axes.plot(*zip(*points, strict=True), marker=".", label=name)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def _table(result: Result) -> Table:
    table = Table(title=f"{result.name} (n={result.n})", caption=result.note, title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in result.figures.items():
        table.add_row(name, f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}")
    for peer, figures in result.peers.items():
        for name, value in figures.items():
            table.add_row(f"beside: {peer}, {name}", f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}")
    return table
