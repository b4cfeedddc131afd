"""Tables: tab-separated files of this package's `data/` or of another folder, read with a closed schema.

A line that begins with `#` is a remark. The first other line names the columns and must equal those that the reader
expects; every row has exactly that many cells. A cell of several values separates them by `|`.
Guarantee: a table that breaks a rule is refused with its file and line; nothing is skipped.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

_DATA = files("terminology") / "data"


class TableError(ValueError):
    """A table breaks its schema. The text names the file and the line."""


@dataclass(frozen=True, slots=True, eq=False)
class Row(Mapping[str, str]):
    """The cells of a row by column, and the place that it stands in."""

    cells: Mapping[str, str]
    table: str
    line: int

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)

    def several(self, column: str) -> tuple[str, ...]:
        """The values of a cell that may have several."""
        return tuple(value for value in self.cells[column].split("|") if value)


def names() -> tuple[str, ...]:
    """Every table of the package."""
    return tuple(sorted(entry.name.removesuffix(".tsv") for entry in _DATA.iterdir() if entry.name.endswith(".tsv")))


def header(name: str, folder: Traversable | None = None) -> tuple[str, ...]:
    """The columns that a table itself names."""
    return next(_lines(name, folder))[1]


def read(name: str, columns: tuple[str, ...], folder: Traversable | None = None) -> tuple[Row, ...]:
    """The rows of `<name>.tsv` of a folder (this package's `data/`), whose columns must be `columns`."""
    lines = _lines(name, folder)
    line, head = next(lines, (1, ()))
    if head != columns:
        raise TableError(f"{name}.tsv:{line}: the columns are {', '.join(head)}, not {', '.join(columns)}")
    return tuple(_row(name, line, columns, cells) for line, cells in lines)


def index(rows: Iterable[Row], *columns: str) -> dict[tuple[str, ...], Row]:
    """Rows by the columns that are their key; a key that stands twice is refused."""
    by_key: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = tuple(row[column] for column in columns)
        if key in by_key:
            raise TableError(f"{row.table}.tsv:{row.line}: {' '.join(key)} stands in line {by_key[key].line} already")
        by_key[key] = row
    return by_key


def _lines(name: str, folder: Traversable | None = None) -> Iterator[tuple[int, tuple[str, ...]]]:
    try:
        text = ((folder or _DATA) / f"{name}.tsv").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise TableError(f"{name}.tsv:1: there is no such table") from error
    for line, content in enumerate(text.split("\n"), start=1):
        if content and not content.startswith("#"):
            yield line, tuple(content.split("\t"))


def _row(name: str, line: int, columns: tuple[str, ...], cells: tuple[str, ...]) -> Row:
    if len(cells) != len(columns):
        raise TableError(f"{name}.tsv:{line}: {len(cells)} cells where {len(columns)} columns are")
    return Row(dict(zip(columns, cells, strict=True)), name, line)
