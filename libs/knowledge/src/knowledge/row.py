"""A row: one rule of medicine, with its conditions, words, source and the patients that test it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from longitude.record.v1.context_pb2 import Passage

from knowledge.terms import Urgency

# What begins the ids of passages that are rows.
PREFIX = "knowledge."


@dataclass(frozen=True, slots=True)
class Document:
    """What rows are written from. `title` as told; `year` of the edition; `kind` as the evidence library has it.
    `superseded`: the day since which another document stands in its place, `by`.
    """

    key: str
    title: str
    year: int
    kind: str
    superseded: date | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A patient for whom a row speaks or not, as the file has it (`knowledge.patients`)."""

    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """`conditions` is the dataclass of the family. `checked`: the day on which the row was compared with the text of
    its document; None where it never was. `begins` and `ends`: the days within which the row speaks, both included.
    `file` and `line`: where it stands. Its `words` are shown as a quotation, with the source behind them.
    """

    family: str
    id: str
    version: int
    conditions: Any
    words: str
    urgency: Urgency
    document: Document
    section: str
    grade: str
    checked: date | None
    begins: date
    ends: date | None
    speaks: tuple[Example, ...]
    silent: tuple[Example, ...]
    file: str
    line: int

    @property
    def name(self) -> str:
        """`interactions/warfarin-nsaid@1`: which row spoke, and in which version."""
        return f"{self.family}/{self.id}@{self.version}"

    @property
    def passage_id(self) -> str:
        return f"{PREFIX}{self.family}.{self.id}.{self.version}"

    @property
    def passage(self) -> Passage:
        """The words of the row as what a statement quotes and cites."""
        source = f"rule {self.family}/{self.id} version {self.version}, after {self.document.title}, {self.section}"
        return Passage(
            passage_id=self.passage_id,
            text=self.words,
            source=f"{source}, {self.document.year}",
            source_kind=self.document.kind,
            grade=self.grade,
            published=str(self.document.year),
            licence="Apache-2.0",
        )

    def is_valid(self, today: date) -> bool:
        return self.begins <= today and (self.ends is None or today <= self.ends)
