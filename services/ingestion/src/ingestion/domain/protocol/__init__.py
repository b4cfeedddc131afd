"""The tables of HL7 as a protocol: message types, character sets, identifiers, events of visits, orders and states.

Each is tab-separated and names its source.

What codes, names and units mean is not here: `terminology` knows that.

Lines that begin with `#` are remarks; the first other line names the columns; the first column is the key.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

Row = Mapping[str, str]


@cache
def table(name: str) -> Mapping[str, Row]:
    """The rows of `<name>.tsv` by their first column."""
    text = files(__package__).joinpath(f"{name}.tsv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    columns = lines[0].split("\t")
    rows = (dict(zip(columns, line.split("\t"), strict=False)) for line in lines[1:])
    return {row[columns[0]]: {column: row.get(column, "") for column in columns} for row in rows}
