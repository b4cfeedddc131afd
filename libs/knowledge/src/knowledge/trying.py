"""Tries rows on their own patients: each speaks for those that it names, and is silent for the others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grounding import Sources, Verdict, Verifier, render
from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION
from terminology import drugs

from knowledge import patients
from knowledge.evaluation import evaluate
from knowledge.finding import Finding
from knowledge.library import Knowledge
from knowledge.record import Asked, names_of
from knowledge.row import Row


@dataclass(frozen=True, slots=True)
class Tried:
    """A row on one of its patients: what it said there, and why the gate would withhold it."""

    findings: tuple[Finding, ...]
    texts: tuple[str, ...]
    withheld: tuple[str, ...]


def on(row: Row, fields: Mapping[str, Any]) -> Tried:
    """A row alone on one patient, on the last day on which it is valid or today's."""
    known = patients.sources(fields)
    sources = Sources.of(patients.TODAY, known.recorded, [row.passage], [], [patients.PATIENT])
    taken = sources.active(FACT_KIND_MEDICATION)
    findings = tuple(evaluate(Knowledge({row.family: (row,)}), sources, taken, asked(patients.asked(fields))))
    rendered = [render(each.statement, sources) for each in findings]
    verifier = Verifier(sources)
    verified = [verifier.verify(each.text, each.citations) for each in rendered]
    withheld = tuple(each.reason for each in verified if each.verdict is not Verdict.SUPPORTED)
    return Tried(findings, tuple(each.text for each in rendered), withheld)


def asked(names: tuple[str, ...]) -> tuple[Asked, ...]:
    """Ingredients by name, as a question names them."""
    known = (each for each in map(drugs.by_name, names) if each)
    return tuple(Asked(each.name, names_of(each)) for each in known)


def complaints(rows: Knowledge) -> Iterator[str]:
    """What is wrong with rows when they are tried, with file and line."""
    for row in rows:
        yield from (f"{row.file}:{row.line}: {row.id}: {problem}" for problem in _problems(row))


def _problems(row: Row) -> Iterator[str]:
    for example in row.speaks:
        tried = on(row, example.fields)
        if not tried.findings:
            yield f"does not speak for {dict(example.fields)}"
        yield from (f"is withheld by the gate: {reason}" for reason in tried.withheld)
    for example in row.silent:
        if on(row, example.fields).findings:
            yield f"speaks for {dict(example.fields)}"
