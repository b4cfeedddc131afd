"""What a row has to say about one patient."""

from dataclasses import dataclass

from grounding import Statement

from knowledge.row import Row


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that speaks, as a typed statement. `subject`: what it is about (facts, names), so that of several rows
    about one the most urgent and narrowest is told; `narrow`: how closely the row names it. `asked`: the names of the
    drugs of the question, or of proposed orders, that it concerns and the record does not have. `due`: something is to
    be done some day; it is told where that is asked for.
    """

    row: Row
    statement: Statement
    subject: frozenset[str]
    narrow: int = 0
    asked: tuple[str, ...] = ()
    due: bool = False
