"""Which rows drifted from what they were written from: past their last day, or of a document that another replaced.

A row that drifted by its document still speaks; what it says, and said, is shown with why that may hold no more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from knowledge.library import Knowledge
from knowledge.row import Row


@dataclass(frozen=True, slots=True)
class Drifted:
    """A row, and why."""

    row: Row
    reason: str


def drifted(knowledge: Knowledge, today: date) -> list[Drifted]:
    """Rows that should be looked at, in the order of their families."""
    return [Drifted(row, reason) for row in knowledge if (reason := _reason(row, knowledge, today))]


def reasons(knowledge: Knowledge, names: Iterable[str], today: date) -> dict[str, str]:
    """Of rows that spoke, by name (`interactions/warfarin-nsaid@1`), those that would not speak so now, and why."""
    asked = set(names)
    known = {f"{row.family}/{row.id}": row for row in knowledge} if asked else {}
    told = {name: _since(name, known.get(name.rpartition("@")[0]), knowledge, today) for name in sorted(asked)}
    return {name: reason for name, reason in told.items() if reason}


def _since(name: str, row: Row | None, knowledge: Knowledge, today: date) -> str:
    if row is None:
        return "the row is withdrawn"
    return _reason(row, knowledge, today) or (
        f"version {row.version} of the row speaks now" if row.name != name else ""
    )


def _reason(row: Row, knowledge: Knowledge, today: date) -> str:
    document = knowledge.documents.get(row.document.key, row.document)
    if row.ends is not None and row.ends < today:
        return f"the row held until {row.ends}"
    if document.superseded is not None and document.superseded <= today:
        return f"{document.title}, {document.year}, was superseded on {document.superseded} by {document.by}"
    return ""
