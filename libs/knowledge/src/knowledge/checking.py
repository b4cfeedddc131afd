"""Checks a hospital's file of rows: its schema, and each of its rows on its own patients."""

from dataclasses import dataclass

from knowledge import trying
from knowledge.library import Knowledge, overlaid, shipped
from knowledge.reading import RowError


@dataclass(frozen=True, slots=True)
class Checked:
    """Rows that the file adds or replaces, rows that it silences, and what is wrong, with file and line."""

    rows: int
    silences: int
    wrong: tuple[str, ...]


def check(file: str, text: str) -> Checked:
    """Everything that is wrong with the rows; of the schema, the first."""
    below = shipped()
    try:
        over = overlaid(below, file, text)
    except RowError as error:
        return Checked(0, 0, (str(error),))
    own = {name: tuple(row for row in rows if row.file == file) for name, rows in over.rows.items()}
    added = Knowledge(own)
    return Checked(len(added), len(over.silences) - len(below.silences), tuple(trying.complaints(added)))
