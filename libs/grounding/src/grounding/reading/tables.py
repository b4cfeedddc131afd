"""The tables of `data/`: tab-separated, with a closed schema.

A line that begins with `#` is a remark. The first other line names the columns. Guarantee: a row that breaks the schema
is refused with its file and line.
"""

from collections.abc import Iterator
from importlib.resources import files

_DATA = files("grounding.reading") / "data"


class TableError(ValueError):
    """A table breaks its schema. The text names the file and the line."""


def all_of(name: str) -> tuple[str, ...]:
    """The table of a name, and those in the folder of that name: one for each area."""
    own = (name,) if (_DATA / f"{name}.tsv").is_file() else ()
    folder = _DATA / name
    areas = sorted(each.name.removesuffix(".tsv") for each in folder.iterdir()) if folder.is_dir() else []
    return (*own, *(f"{name}/{each}" for each in areas))


def rows(name: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row of `data/<name>.tsv`."""
    head = False
    for number, line in enumerate((_DATA / f"{name}.tsv").read_text().split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if not head:
            if tuple(cells) != columns:
                raise TableError(f"{name}.tsv:{number}: the columns are {', '.join(cells)}, not {', '.join(columns)}")
            head = True
            continue
        if len(cells) > len(columns):
            raise TableError(f"{name}.tsv:{number}: {len(cells)} cells, not {len(columns)}")
        yield number, dict(zip(columns, [*cells, *[""] * (len(columns) - len(cells))], strict=True))
