"""Reads the tables of this package: tab-separated files with a closed schema.

Lines that begin with `#` are remarks; the first other line names the columns. Guarantee: a table is read whole or there
is a TableError that names the file and the line.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files


class TableError(Exception):
    """A table is not of the form that its reader expects."""


class Row(Mapping[str, str]):
    """One row: its cells by column, and the line where it stands."""

    __slots__ = ("_cells", "line")

    def __init__(self, cells: dict[str, str], line: int) -> None:
        self._cells = cells
        self.line = line

    def __getitem__(self, column: str) -> str:
        return self._cells[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def several(self, column: str) -> tuple[str, ...]:
        """The values of a cell that may have many, written with `|` between them."""
        return tuple(value for value in self._cells[column].split("|") if value)


@cache
def read(name: str, columns: tuple[str, ...]) -> tuple[Row, ...]:
    """The rows of `data/<name>.tsv`, whose header must be exactly `columns`."""
    text = files("terminology").joinpath("data", f"{name}.tsv").read_text(encoding="utf-8")
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line and not line.startswith("#")]
    if not lines or tuple(lines[0][1].split("\t")) != columns:
        raise TableError(f"{name}.tsv: the columns are not {', '.join(columns)}")
    return tuple(_row(name, number, line, columns) for number, line in lines[1:])


def _row(name: str, number: int, line: str, columns: tuple[str, ...]) -> Row:
    cells = line.split("\t")
    if len(cells) != len(columns):
        raise TableError(f"{name}.tsv, line {number}: {len(cells)} cells where {len(columns)} belong")
    return Row(dict(zip(columns, cells, strict=True)), number)
