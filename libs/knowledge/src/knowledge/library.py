"""All rows: those of the package, with a hospital's overlay over them.

Guarantee: a row stands once by family and id; what silences a row says why, who decided it and until when.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, cached_property
from importlib.resources import files

from longitude.record.v1.context_pb2 import Passage

from knowledge import families, reading
from knowledge.reading import Entry, RowError
from knowledge.row import Document, Row

_DATA = files("knowledge") / "data"
SOURCES = "sources.toml"
# Of a hospital's file, in the order in which they are laid.
_ARRAYS = ("source", "superseded", "row", "silence")


@dataclass(frozen=True, slots=True)
class Silence:
    """A row that does not speak: why, who decided it, and the last day for which it holds."""

    family: str
    row: str
    reason: str
    person: str
    until: date


@dataclass(frozen=True)
class Knowledge:
    """Rows by family, and what silences some of them."""

    rows: Mapping[str, tuple[Row, ...]]
    silences: tuple[Silence, ...] = ()
    documents: Mapping[str, Document] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Row]:
        for own in self.rows.values():
            yield from own

    def __len__(self) -> int:
        return sum(map(len, self.rows.values()))

    def valid(self, today: date) -> Iterator[Row]:
        """The rows that speak on a day."""
        return (row for row in self if self._speaks(row, today))

    def row(self, family: str, identifier: str, today: date) -> Row | None:
        """One row, if it speaks on a day."""
        return next((each for each in self.rows[family] if each.id == identifier and self._speaks(each, today)), None)

    def _speaks(self, row: Row, today: date) -> bool:
        silent = any((each.family, each.row) == (row.family, row.id) and today <= each.until for each in self.silences)
        return row.is_valid(today) and not silent

    @cached_property
    def _passages(self) -> Mapping[str, Passage]:
        return {row.passage_id: row.passage for row in self}

    def passage(self, row: Row) -> Passage:
        return self._passages[row.passage_id]


@cache
def shipped() -> Knowledge:
    """The rows of the package; RowError."""
    documents = reading.documents(SOURCES, (_DATA / SOURCES).read_text(encoding="utf-8"))
    return Knowledge({name: _table(name, documents) for name in families.known()}, (), documents)


def _table(name: str, documents: Mapping[str, Document]) -> tuple[Row, ...]:
    file = f"{name}.toml"
    listed = reading.entries(file, (_DATA / file).read_text(encoding="utf-8"), "row")
    return tuple(_once(_row(entry, name, documents) for _, entry in listed))


def _row(entry: Entry, family: str, documents: Mapping[str, Document]) -> Row:
    return reading.row_of(entry, family, families.known()[family].conditions, documents)


def _once(rows: Iterable[Row]) -> Iterator[Row]:
    lines: dict[str, int] = {}
    for row in rows:
        if row.id in lines:
            raise RowError(f"{row.file}:{row.line}: id: “{row.id}” stands in line {lines[row.id]} already")
        lines[row.id] = row.line
        yield row


def overlaid(below: Knowledge, file: str, text: str) -> Knowledge:
    """With the rows of a hospital's file: `[[source]]` adds a document, `[[row]]` (with its `family`) adds a row or
    replaces one of a lower version, `[[silence]]` silences one, `[[superseded]]` says which document took the place of
    another. RowError.
    """
    documents, rows = dict(below.documents), {name: list(own) for name, own in below.rows.items()}
    silences = list(below.silences)
    for array, entry in sorted(reading.entries(file, text, *_ARRAYS), key=_documents_first):
        if array == "source":
            document = reading.document_of(entry)
            if document.key in documents:
                raise entry.wrong(f"“{document.key}” is a source already", "key")
            documents[document.key] = document
        elif array == "superseded":
            _supersede(entry, documents)
        elif array == "row":
            _lay(entry, rows, documents)
        else:
            silences.append(_silence(entry, rows))
    return Knowledge({name: tuple(own) for name, own in rows.items()}, tuple(silences), documents)


def _documents_first(listed: tuple[str, Entry]) -> tuple[int, int]:
    array, entry = listed
    return _ARRAYS.index(array), entry.line


def _supersede(entry: Entry, documents: dict[str, Document]) -> None:
    """A document has another in its place."""
    entry.closed(("source", "superseded", "by"), ())
    key: str = entry.parsed("source", str)
    if key not in documents:
        raise entry.wrong(f"“{key}” is the key of no source", "source")
    documents[key] = reading.superseded(documents[key], entry)


def _lay(entry: Entry, rows: dict[str, list[Row]], documents: Mapping[str, Document]) -> None:
    """Adds a row, or puts it in the place of an older version of it."""
    family = _family(entry, rows)
    values = {key: value for key, value in entry.values.items() if key != "family"}
    row = _row(replace(entry, values=values), family, documents)
    before = next((each for each in rows[family] if each.id == row.id), None)
    if before is None:
        rows[family].append(row)
    elif row.version <= before.version:
        raise entry.wrong(f"“{family}/{row.id}” is known in version {before.version}: say a higher one", "version")
    else:
        rows[family][rows[family].index(before)] = row


def _family(entry: Entry, rows: Mapping[str, list[Row]]) -> str:
    if "family" not in entry.values:
        raise entry.wrong("“family” is missing")
    family: str = entry.parsed("family", str)
    if family not in rows:
        raise entry.wrong(f"must be one of {', '.join(rows)}", "family")
    return family


def _silence(entry: Entry, rows: Mapping[str, list[Row]]) -> Silence:
    entry.closed(("family", "id", "reason", "person", "until"), ())
    family, row = _family(entry, rows), entry.parsed("id", str)
    if not any(each.id == row for each in rows[family]):
        raise entry.wrong(f"there is no row “{family}/{row}”", "id")
    reason, person, until = entry.parsed("reason", str), entry.parsed("person", str), entry.parsed("until", date)
    return Silence(family, row, reason, person, until)
