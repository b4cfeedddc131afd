"""What a change costs in files, by doing it: each is put into a copy of its package, and works without another edit.

CONTRIBUTING states the costs. A new service and a new modality have tests of their own (`test_new_service.py`,
`services/imaging/tests/unit/test_imaging_modalities.py`).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Change:
    """Files to write (a path that ends in `+` is appended to), a program, and what it prints where all is well."""

    library: str
    files: Mapping[str, str]
    program: str
    prints: str


DRUG = Change(
    "terminology",
    {"data/ingredients.tsv+": "testolol\t\tbeta-blocker\ttestololum\tndc-2019\t\tndc-2019\n"},
    """
from terminology import drug_classes, drugs
(one,) = drugs.ingredients_in("TESTOLOL TARTRATE 50 MG TAB")
print(one.name, [each.id for each in drug_classes.classes_of(one)][:1])
""",
    "testolol ['beta-blocker']",
)
UNIT = Change(
    "terminology",
    {"data/units.tsv+": "dg/L\tdg/L\tDG/L|DGM/L\tdg/l\t\tunits-field\n"},
    """
from decimal import Decimal
from terminology import units
print(units.ucum("DGM/L"), units.convert(Decimal("12"), "dg/L", "g/L"))
""",
    "dg/L 1.2",
)
CALCULATOR = Change(
    "grounding",
    {
        "calculators/pulse_pressure.py": '''"""Pulse pressure."""

from grounding.calculator import Calculator, Given, key_of
from grounding.derived import Derived, of_results
from grounding.given import newest, of_one_day

NAME = "pulse-pressure"


def compute(given: Given) -> Derived:
    upper, lower = of_one_day(newest(given, "8480-6", "mmHg"), newest(given, "8462-4", "mmHg"))
    return of_results(NAME, key_of(NAME), float(upper.value - lower.value), "1", "mmHg", upper, lower)


CALCULATOR = Calculator(
    name=NAME,
    purpose="pulse",
    inputs=("8480-6", "8462-4"),
    words="The pulse pressure is ",
    source="a test",
    compute=compute,
    names={"pulse pressure": key_of(NAME)},
)
'''
    },
    """
from consult.computing import computable, compute
from grounding import Verifier, render
from grounding.kinds import calculation
from harness.tools import TOOLS
from testkit.kidneys import sources_of
from practice.records import RecordBuilder
record = RecordBuilder()
record.result("8480-6", "Systolic blood pressure", "142", "mm[Hg]", "2026-10-05")
record.result("8462-4", "Diastolic blood pressure", "88", "mm[Hg]", "2026-10-05")
sources = sources_of(record)
(one,) = (each for each in computable(sources) if each.purpose == "pulse")
said = render(calculation.statement(one.name, one.fact_ids), sources)
verdict = Verifier(sources).verify(said.text, said.citations).verdict
print("pulse" in TOOLS["calculate"].purposes, said.text, verdict.name)
""",
    "True The pulse pressure is 54 mmHg (2026-10-05). SUPPORTED",
)
KIND = Change(
    "grounding",
    {
        "kinds/document.py": '''"""A document."""

from longitude.record.v1.fact_pb2 import FactKind

from grounding import phrases
from grounding.kind import Kind, of_fact
from grounding.sources import Sources
from grounding.statements import Name, Statement, Words

PROTO = 99


def statement(sources: Sources, fact_id: str) -> Statement:
    parts = (Words("Document: "), Name(fact_id), *phrases.on(sources.fact(fact_id)))
    return Statement(PROTO, parts)


KIND = Kind(
    word="document",
    proto=PROTO,
    handle="F",
    roles={"historian": ("gather",)},
    choose=of_fact("document", FactKind.FACT_KIND_DOCUMENT),
    say=lambda sources, choice: statement(sources, *choice.fact_ids),
)
'''
    },
    """
from datetime import UTC, datetime
from consult.wording import word
from grounding import render
from grounding.kind import Choice
from harness.prompts import briefing
from harness.roles import HISTORIAN
from harness.states import State
from longitude.record.v1.fact_pb2 import ClinicalFact
from testkit.kidneys import sources_of
from practice.records import RecordBuilder
record = RecordBuilder()
fact = ClinicalFact(kind="FACT_KIND_DOCUMENT")
fact.code.display = "Letter"
fact_id = record.add(fact, "2026-10-05")
sources = sources_of(record)
said = render(word(Choice("document", (fact_id,)), sources), sources)
print("document F" in briefing(HISTORIAN, State.GATHER, []), said.text)
""",
    "True Document: Letter on 2026-10-05.",
)
TOOL = Change(
    "harness",
    {
        "tools/read_procedures.py": '''"""Every procedure."""

from longitude.record.v1.fact_pb2 import FactKind

from harness.tool import Tool, purpose

TOOL = Tool(
    name="read_procedures",
    purposes={"history": purpose((FactKind.FACT_KIND_PROBLEM,), "problem", "change")},
    roles=frozenset({"historian"}),
    read=lambda readable, _: readable.of_kind(FactKind.FACT_KIND_PROCEDURE),
)
'''
    },
    """
from consult.reading import brought, reach
from harness.readable import Readable
from harness.roles import HISTORIAN
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact
kinds = {"p": "FACT_KIND_PROBLEM", "q": "FACT_KIND_PROCEDURE"}
facts = {name: RecordedFact(fact=ClinicalFact(fact_id=name, kind=kind)) for name, kind in kinds.items()}
readable = Readable(facts, None)
print("read_procedures" in HISTORIAN.tools, [one.fact.fact_id for one in brought("read_procedures", "p", readable)])
print([(one.tool, one.fact_id, list(one.fact_ids)) for one in reach(["p"], readable) if one.tool == "read_procedures"])
""",
    "True ['q']\n[('read_procedures', 'p', ['q'])]",
)
RULE = Change(
    "consult",
    {
        "rules/fever.py": '''"""Fever."""

from grounding import Sources, Statement
from grounding.kinds import latest

from consult.rule import Rule


def fever(sources: Sources) -> list[Statement]:
    """Source: a test."""
    return [latest.statement(sources, fact.fact_id) for fact in sources.series("8310-5")[-1:]]


RULES = (Rule(fever, place=15, cites={"a-passage": "fever"}),)
'''
    },
    """
from consult import speak
from consult.rules import CITED_PASSAGES
from grounding import render
from testkit.kidneys import sources_of
from practice.records import RecordBuilder
record = RecordBuilder()
record.result("8310-5", "Body temperature", "39.4", "Cel", "2026-10-05")
sources = sources_of(record)
print(CITED_PASSAGES["a-passage"], [(one.rule, render(one.statement, sources).text) for one in speak(sources)])
""",
    "fever [('fever', 'Body temperature was 39.4 °C on 2026-10-05.')]",
)


@pytest.mark.parametrize(
    "change",
    [DRUG, UNIT, CALCULATOR, KIND, TOOL, RULE],
    ids=["drug", "unit", "calculator", "kind", "tool", "rule"],
)
def test_it_is_one_file(change: Change, tmp_path: Path) -> None:
    package = tmp_path / change.library
    shutil.copytree(ROOT / "libs" / change.library / "src" / change.library, package)
    for name, text in change.files.items():
        path, appended = package / name.rstrip("+"), name.endswith("+")
        assert path.exists() == appended
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    done = subprocess.run(
        [sys.executable, "-c", change.program],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == change.prints, done.stderr
    assert len(change.files) == 1
