"""A question about one patient with what a physician wants to hear, in the form of a line of `questions.jsonl`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
FACT, ABSENCE = "fact", "absence"


@dataclass(frozen=True, slots=True)
class Gold:
    """What must be said. Patterns are regular expressions without regard to case.

    A fact is said by its `value` with its day, or by its `name` with one of its days; what is no fact (that something
    is not recorded) by a text in which each pattern of `said` is found. `safety`: dangerous to leave out.
    """

    what: str
    label: str
    kind: str = ""
    code: str = ""
    day: str = ""
    or_days: tuple[str, ...] = ()
    name: str = ""
    value: str = ""
    day_needed: bool = True
    safety: bool = False
    said: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Json) -> "Gold":
        fields = {name: row[name] for name in ("kind", "code", "day", "name", "value") if row.get(name)}
        return cls(
            row["what"],
            row.get("label", ""),
            **fields,
            or_days=tuple(row.get("or_days") or ()),
            day_needed=row.get("day_needed", True),
            safety=bool(row.get("safety")),
            said=tuple(row.get("said") or ()),
        )


@dataclass(frozen=True, slots=True)
class Falsehood:
    """A pattern that says what is not so. `first`: it tells another first day. `unless`: what makes it harmless."""

    label: str
    pattern: str
    first: bool = False
    unless: str = ""

    @classmethod
    def of(cls, row: Json) -> "Falsehood":
        return cls(row["label"], row["pattern"], row.get("type") == "first", row.get("unless", ""))


@dataclass(frozen=True, slots=True)
class Question:
    """`topic` and `topic_codes`: what a statement must name or cite to concern it; `paraphrases`: other wordings."""

    id: str
    patient: str
    kind: str
    question: str
    gold: tuple[Gold, ...]
    topic: str
    topic_codes: frozenset[str] = frozenset()
    must_not: tuple[Falsehood, ...] = ()
    paraphrases: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Json) -> "Question":
        return cls(
            row["id"],
            row["patient"],
            row["kind"],
            row["question"],
            tuple(map(Gold.of, row["gold"])),
            row["topic"],
            frozenset(row.get("topic_codes", ())),
            tuple(map(Falsehood.of, row.get("must_not", ()))),
            tuple(row.get("paraphrases", ())),
        )
