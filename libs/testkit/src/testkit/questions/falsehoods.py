"""What would be false of a chart whatever is asked: ended things told as active, another first day."""

import re
from collections.abc import Iterator, Sequence

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from testkit.questions.chart import Chart, day_of, end_of, plain
from testkit.questions.question import Falsehood

_WITHIN = r"(?:[^.;]|\.\d)"
_UNDENIED = rf"(?:(?!\b(?:no|not|no longer|ended|until|stopped|resolved|inactive|discontinued)\b){_WITHIN})*"
_ACTIVE = r"\bactive\b(?! (?:until|from|between)\b)"


def falsehoods(chart: Chart) -> list[Falsehood]:
    """Over every drug and problem of the chart."""
    problems: dict[str, list[ClinicalFact]] = {}
    for each in chart.of_kind(pb.FACT_KIND_PROBLEM):
        problems.setdefault(plain(each), []).append(each)
    drugs = (found for name, orders in chart.orders.items() for found in _of(chart, name, orders, "allerg"))
    return [*drugs, *(found for name, entries in problems.items() for found in _of(chart, name, entries, ""))]


def _of(chart: Chart, name: str, entries: Sequence[ClinicalFact], unless: str) -> Iterator[Falsehood]:
    # Not where it is the end of another name: `history of ...`.
    known = rf"(?<![a-z])(?<![a-z] ){re.escape(name)}\b"
    if not any(map(chart.is_open, entries)):
        label = f"{name} called active (ended {max(map(end_of, entries))})"
        yield Falsehood(label, f"{known}{_UNDENIED}{_ACTIVE}", unless=unless)
    elif len({day_of(each) for each in entries}) > 1:
        first = day_of(entries[0])
        other = rf"{known}{_WITHIN}*\bactive since (?!{first})\d{{4}}"
        yield Falsehood(f"{name} active since another day than {first}", other, first=True)
