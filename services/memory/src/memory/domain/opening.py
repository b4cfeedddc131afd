"""What opens to whom: the table `opens.toml`, and openings that people ask for beyond it, with a reason and an end."""

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

from contracts.errors import DeniedError, InvalidInputError

from memory.domain import sensitive

TREAT, BREAK_GLASS = "TREAT", "BTG"
PURPOSES = (TREAT, BREAK_GLASS)
NONE, DECLARED = "none", "declared"
SHORTEST_REASON, LONGEST_REASON = 10, 500
DEFAULT_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; `opens` are bits. `processes`: those that read for themselves, with no person behind them."""

    roles: frozenset[str]
    processes: frozenset[str]
    relationship: str
    purpose: str
    opens: int
    minutes: int
    review: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """An opening as it was asked for. `labels` empty: all that the table would open."""

    purpose: str
    labels: Collection[str]
    reason: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Granted:
    """What the table gives of it."""

    opens: int
    lasts: timedelta
    review: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """An opening that is open to the caller now."""

    opening_id: str
    purpose: str
    opens: int
    ends_at: datetime
    reason: str = ""


@cache
def table() -> tuple[Row, ...]:
    """The rows, in the order of the file."""
    rows = tomllib.loads(files("memory").joinpath("opens.toml").read_text("utf-8"))["opens"]
    return tuple(
        Row(
            frozenset(row.get("roles", ())),
            frozenset(row.get("processes", ())),
            row["relationship"],
            row["purpose"],
            sensitive.bits(row["opens"]),
            row.get("minutes", 0),
            row.get("review", False),
        )
        for row in rows
    )


def closed(roles: Collection[str], openings: Iterable[Opened]) -> int:
    """The bits that are closed to these roles, whatever was opened to the person."""
    opened = _opens(roles, NONE, TREAT)
    for one in openings:
        # What the table no longer gives ends with the table.
        opened |= one.opens & _opens(roles, DECLARED, one.purpose)
    return sensitive.ALL & ~opened


def closed_to_process(name: str) -> int:
    """The bits that are closed to a process that reads for itself."""
    opened = 0
    for row in table():
        opened |= row.opens if name in row.processes else 0
    return sensitive.ALL & ~opened


def grant(roles: Collection[str], wanted: Wanted) -> Granted:
    """InvalidInputError for what cannot be opened at all, DeniedError for what does not open to these roles."""
    if wanted.purpose not in PURPOSES:
        raise InvalidInputError(f"purpose must be one of {', '.join(PURPOSES)}")
    if not SHORTEST_REASON <= len(wanted.reason.strip()) <= LONGEST_REASON:
        raise InvalidInputError(f"reason needs {SHORTEST_REASON} to {LONGEST_REASON} characters")
    rows = _rows(roles, DECLARED, wanted.purpose)
    if not rows:
        raise DeniedError(f"no record opens to the role {' or '.join(sorted(roles)) or '(none)'} for {wanted.purpose}")
    most = max(row.minutes for row in rows)
    minutes = wanted.minutes or min(DEFAULT_MINUTES, most)
    if minutes > most:
        raise InvalidInputError(f"an opening for {wanted.purpose} lasts at most {most} minutes")
    unknown = [label for label in wanted.labels if label not in sensitive.BITS]
    if unknown:
        raise InvalidInputError(f"categories are {', '.join(sensitive.BITS)}")
    opens = _opens(roles, DECLARED, wanted.purpose)
    asked = sensitive.bits(wanted.labels) if wanted.labels else opens
    if asked & ~opens:
        raise DeniedError(f"{', '.join(sensitive.names(asked & ~opens))} does not open to the role of the caller")
    return Granted(asked, timedelta(minutes=minutes), any(row.review for row in rows))


def purpose(openings: Collection[Opened]) -> str:
    """For what a record is shown."""
    return BREAK_GLASS if any(one.purpose == BREAK_GLASS for one in openings) else TREAT


def banner(openings: Collection[Opened]) -> str:
    """What stands above everything that is shown while a glass is broken; empty otherwise."""
    ends = [one.ends_at for one in openings if one.purpose == BREAK_GLASS]
    if not ends:
        return ""
    return f"BREAK-GLASS until {max(ends):%Y-%m-%d %H:%M} UTC: every look is recorded, and this access will be reviewed"


def _rows(roles: Collection[str], relationship: str, purpose: str) -> list[Row]:
    asked = (relationship, purpose)
    return [row for row in table() if row.roles & set(roles) and (row.relationship, row.purpose) == asked]


def _opens(roles: Collection[str], relationship: str, purpose: str) -> int:
    opened = 0
    for row in _rows(roles, relationship, purpose):
        opened |= row.opens
    return opened
