"""Rows that drifted from their documents, or are past their last day, and what spoke by them."""

from datetime import date, timedelta

import pytest
from knowledge import Knowledge, RowError, shipped
from knowledge.drift import drifted, reasons
from knowledge.library import overlaid

TODAY = date(2026, 11, 29)
ROW = next(iter(shipped()))
SUPERSEDED = f"""[[superseded]]
source = "{ROW.document.key}"
superseded = 2026-11-01
by = "the edition of 2026"
"""
OURS = """[[source]]
key = "our-pharmacy"
title = "Pharmacy committee"
year = 2026
kind = "guideline"
superseded = 2027-01-01
by = "its decision of 2027"

[[row]]
family = "interactions"
id = "cetirizine-digoxin"
version = 2
drugs = "cetirizine"
beside = "digoxin"
urgency = "routine"
words = "Our pharmacy asks to be called about these two."
source = "our-pharmacy"
section = "decision 7"
until = 2026-11-29
speaks = {drugs = ["cetirizine", "digoxin"]}
silent = {drugs = ["cetirizine"]}
"""


def hospital(text: str) -> Knowledge:
    return overlaid(shipped(), "hospital.toml", text)


def test_of_the_package_nothing_has_drifted() -> None:
    assert drifted(shipped(), TODAY) == []


def test_every_row_of_a_document_that_was_superseded_is_named_and_speaks_still() -> None:
    knowledge = hospital(SUPERSEDED)
    seen = drifted(knowledge, TODAY)
    assert {each.row.name for each in seen} == {row.name for row in shipped() if row.document == ROW.document}
    assert "was superseded on 2026-11-01 by the edition of 2026" in seen[0].reason
    assert ROW in knowledge.valid(TODAY)
    assert drifted(knowledge, date(2026, 10, 31)) == []


def test_a_row_is_named_from_the_day_behind_its_last() -> None:
    knowledge = hospital(OURS)
    assert drifted(knowledge, TODAY) == []
    (one,) = drifted(knowledge, TODAY + timedelta(days=1))
    assert (one.row.id, one.reason) == ("cetirizine-digoxin", "the row held until 2026-11-29")
    assert drifted(knowledge, date(2027, 1, 1)) == [one]


def test_what_spoke_once_is_compared_with_what_speaks_now() -> None:
    knowledge = hospital(OURS + SUPERSEDED)
    asked = ["interactions/cetirizine-digoxin@1", "interactions/cetirizine-digoxin@2", "interactions/gone@1", ROW.name]
    assert reasons(knowledge, asked, TODAY) == {
        "interactions/cetirizine-digoxin@1": "version 2 of the row speaks now",
        "interactions/gone@1": "the row is withdrawn",
        ROW.name: f"{ROW.document.title}, {ROW.document.year}, was superseded on 2026-11-01 by the edition of 2026",
    }


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (SUPERSEDED.replace(ROW.document.key, "nobodys"), "hospital.toml:2: source: “nobodys” is the key of no source"),
        (SUPERSEDED.replace('by = "the edition of 2026"', ""), "hospital.toml:1: “by” is missing"),
        (OURS.replace("superseded = 2027-01-01", ""), "hospital.toml:1: “superseded” is missing"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(text: str, error: str) -> None:
    with pytest.raises(RowError, match=error):
        hospital(text)
