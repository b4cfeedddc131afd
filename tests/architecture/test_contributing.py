"""CONTRIBUTING says which files a change needs: each path it names is there, and the costs agree with the lists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
GUIDE = PAGE.split("## How to add")[1].split("## What a change costs")[0]
# Title -> the files of its numbered list, in order.
HOW_TO = {
    title: re.findall(r"^\d\. `([^`]+)`", body, re.MULTILINE)
    for title, body in re.findall(r"^\*\*An? ([^*]+)\*\*\n(.*?)(?=^\*\*|\Z)", GUIDE, re.MULTILINE | re.DOTALL)
}
MOST = {
    "drug": 1,
    "unit": 1,
    "row of medical knowledge": 1,
    "family of rows": 2,
    "rule": 1,
    "calculator": 1,
    "tool of the agents": 2,
    "kind of statement": 2,
    "HL7 segment": 2,
    "imaging modality": 1,
    "Triton model": 4,
    "service": 1,
}


def test_every_change_that_people_make_is_told() -> None:
    assert HOW_TO.keys() == MOST.keys()
    assert {title: len(files) for title, files in HOW_TO.items()} == MOST


@pytest.mark.parametrize("path", sorted({path for files in HOW_TO.values() for path in files}))
def test_every_path_has_an_example(path: str) -> None:
    assert list(ROOT.glob(re.sub(r"<\w+>", "*", path))), path


def test_what_holds_a_cost_is_there() -> None:
    table = PAGE.split("## What a change costs")[1].split("## Names")[0]
    for test in re.findall(r"`((?:tests|services)/[^`]+\.py)`", table):
        assert (ROOT / test).is_file(), test


def test_no_term_is_explained_twice() -> None:
    terms = re.findall(r"^\| ([^|]+) \| ", PAGE.split("## Names")[1], re.MULTILINE)
    assert len(terms) == len(set(terms)) > 30
