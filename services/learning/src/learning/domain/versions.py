"""Whether a version may serve, and what it becomes. A gate is passed or not by its figure alone, whoever filed it."""

import math
from collections.abc import Iterable, Sequence

from contracts.errors import ConflictError, InvalidInputError
from longitude.learning.v1.events_pb2 import Gate

from learning.domain.training import GateRow

MAX_GATES = 100
MAX_NAME = 200


def gates(rows: Iterable[GateRow]) -> list[Gate]:
    """The rows with whether each was passed; InvalidInputError when they are no report."""
    made = [_gate(row) for row in rows]
    names = {gate.name for gate in made}
    if len(made) > MAX_GATES or len(names) != len(made):
        raise InvalidInputError(f"a gate report has at most {MAX_GATES} rows, each of another name")
    if not all(0 < len(name) <= MAX_NAME and name.isprintable() for name in names):
        raise InvalidInputError(f"the name of a gate has 1 to {MAX_NAME} characters")
    return made


def failed(report: Sequence[Gate]) -> list[Gate]:
    """The gates that were not passed."""
    return [gate for gate in report if not gate.passed]


def said(gate: Gate) -> str:
    """A gate that was not passed, with its figure and its bound."""
    side = "at least" if gate.at_least else "at most"
    return f"{gate.name} is {gate.figure:.4g} and must be {side} {gate.bound:.4g}"


def check_promotable(state: str, report: Sequence[Gate] | None) -> None:
    """ConflictError where no decision can be made: there is nothing to decide by. Failed gates are a decision."""
    if state == "rolled-back":
        raise ConflictError("this version was rolled back; measure its gates anew and file the report")
    if not report:
        raise ConflictError("the gates of this version were not measured; file the report first")


def _gate(row: GateRow) -> Gate:
    """A figure that is no number passes nothing."""
    reached = row.figure >= row.bound if row.at_least else row.figure <= row.bound
    passed = reached and math.isfinite(row.figure) and math.isfinite(row.bound)
    return Gate(name=row.name, figure=row.figure, bound=row.bound, at_least=row.at_least, passed=passed)
