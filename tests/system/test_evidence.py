"""A passage says who released it, and what cites it says when it was withdrawn."""

from typing import Any

from tests.observe import until
from tests.system.after_story import PATIENT, System
from tests.system.evidence import QUESTION


def test_an_answer_says_who_released_its_evidence(withdrawn: Any) -> None:
    (cited,) = withdrawn["cited"]
    assert cited["release"]["approved_by"] == ["Dr Anna", "Dr Ben"]
    assert cited["release"]["edition_id"] == withdrawn["edition_id"]


def test_an_answer_that_cites_withdrawn_evidence_says_so_once_wherever_it_is_shown(
    system: System, withdrawn: Any
) -> None:
    observer, name = system.observer, withdrawn["assessment"]["assessment_id"]
    until(lambda: observer.json("assessment", name)["notices"] != [], "the notice", within_s=60)
    (notice,) = observer.json("assessment", name)["notices"]
    assert (notice["reason"], notice["withdrawn_by"]) == ("the advice was retracted", "Dr Anna")
    again = observer.json("ask", PATIENT, QUESTION, "--request-id", "evidence-withdrawn")
    assert again["notices"] == [notice]
    cites = [one["statement_id"] for one in again["statements"] if withdrawn["cited"][0] in one["sources"]]
    assert notice["statement_ids"] == cites


def test_withdrawn_evidence_answers_nothing_any_more(system: System, withdrawn: Any) -> None:
    observer = system.observer
    assert withdrawn["passage_id"] not in {each["passage_id"] for each in observer.json("evidence", "search", QUESTION)}
    assert observer.json("evidence", "show", withdrawn["edition_id"])["state"] == "withdrawn"
    other = observer.json("ask", PATIENT, QUESTION, "--request-id", "evidence-gone")
    cited = {one.get("passage_id") for each in other["statements"] for one in each["sources"]}
    assert withdrawn["passage_id"] not in cited
