"""Small things that make a page readable: tables of one look, dates, pointers, trend lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from longitude.record.v1.fact_pb2 import SourcePointer
from rich import box
from rich.console import Console
from rich.table import Table

from client.forms import Form
from client.terminal import Text

BARS, PLAIN_BARS = "▁▂▃▄▅▆▇█", "_.-~=+*#"
GOOD, WARN, BAD, QUIET, ACCENT = "green", "yellow", "red", "dim", "cyan"

# The longest unit of which there is one, in words.
_AGES = ((86_400, "d"), (3_600, "h"), (60, "min"))


def table(title: str, *columns: str) -> Table:
    """A table with a title and light rules; columns named `>x` are right-aligned."""
    made = Table(title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    made.show_header = any(column.removeprefix(">") for column in columns)
    for column in columns:
        made.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    return made


def row(page: Table, *cells: str | Text) -> None:
    """Add a row of what the data say; text of the data is never read as markup."""
    page.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))


def styled(text: str, style: str) -> Text:
    """Text of the data in a colour."""
    return Text(text, style=style)


def trend(console: Console, values: Sequence[float]) -> str:
    """A small line of bars, lowest to highest; empty for fewer than two values."""
    if len(values) < 2:
        return ""
    bars = BARS if "utf" in console.encoding.lower() else PLAIN_BARS
    low, high = min(values), max(values)
    scale = (len(bars) - 1) / (high - low) if high > low else 0.0
    return "".join(bars[round((value - low) * scale)] for value in values)


def pointer(source: SourcePointer) -> str:
    """Where a fact stands, short: `MSG0042 OBX[3] OBX-5.1`, a document page, or an image."""
    if source.segment:
        return f"{source.control_id} {source.segment} {source.field}".strip()
    if source.document_id:
        return f"document {source.document_id[:8]}" + (f" p.{source.page}" if source.page else "")
    if source.sop_instance_uid:
        return f"image …{source.sop_instance_uid[-12:]}"
    return source.control_id or source.event_id


def source(citation: Form) -> str:
    """Where a cited source stands, short: the HL7 field, page, image or passage."""
    if "passage_id" in citation:
        who = f" ({released_by(citation['release'])})" if "release" in citation else ""
        return f"evidence {citation['passage_id']}{who}"
    if citation.get("segment"):
        return f"{citation['control_id']} {citation['segment']} {citation['field']}"
    if "document_id" in citation:
        return f"document {citation['document_id'][:8]}" + (f" p.{citation['page']}" if "page" in citation else "")
    if "sop_instance_uid" in citation:
        return f"image …{citation['sop_instance_uid'][-12:]}"
    return f"fact {citation.get('fact_id', '')[:8]}"


def released_by(release: Form) -> str:
    """Who approved a passage; `shipped`: it came with the product, and nobody here did."""
    people = " and ".join(release["approved_by"])
    signed = "" if release["publisher"] else ", unsigned"
    return f"approved by {people}{signed}" if people else "shipped"


def day(text: str | None) -> str:
    """The date of an ISO time; empty for none."""
    return text[:10] if text else ""


def age(since: timedelta) -> str:
    """`3 min`, in the longest unit of which there is one."""
    seconds = max(0, int(since.total_seconds()))
    size, unit = next(((size, unit) for size, unit in _AGES if seconds >= size), (1, "s"))
    return f"{seconds // size} {unit}"
