"""The words of questions: rows of the tables in `data/`. They are the author's, not looked up in terminology, so that
the platform's own tables cannot confirm themselves.
"""

from functools import cache
from importlib.resources import files

from terminology import tables
from terminology.tables import Row

_DATA = files("testkit.questions") / "data"


@cache
def rows(table: str) -> tuple[Row, ...]:
    """The rows of a table, in order."""
    return tables.read(table, tables.header(table, _DATA), _DATA)


@cache
def by_id(table: str) -> dict[str, Row]:
    return {row["id"]: row for row in rows(table)}


def several(cell: str) -> list[str]:
    """The values of a cell that has more than one."""
    return [each for each in cell.split(";") if each]


def wordings(kind: str) -> list[str]:
    return [row["wording"] for row in rows("wordings") if row["kind"] == kind]
