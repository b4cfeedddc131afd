from typing import Any

import pytest
from consult.context.relevance import concerning
from consult.rules import CITED_PASSAGES
from consult.visits import passages
from longitude.record.v1.context_pb2 import Passage
from memory.domain.passages import PassageError, check
from memory.flows.library import parse, shipped


def passage(passage_id: str, text: str = "text", **more: str) -> Passage:
    filled: dict[str, Any] = {
        "title": "title",
        "source": "source",
        "source_kind": "guideline",
        "published": "2024",
        "licence": "own",
    }
    return Passage(passage_id=passage_id, text=text, **filled | more)


def test_every_shipped_passage_is_complete_and_its_id_is_unique() -> None:
    passages = shipped()
    for one in passages:
        check(one)
    assert len({one.passage_id for one in passages}) == len(passages)


def test_the_passages_that_rules_and_care_gaps_cite_are_shipped() -> None:
    assert {one.passage_id for one in shipped()} >= CITED_PASSAGES.keys() | passages().keys()


def test_the_metformin_label_says_its_thresholds() -> None:
    label = next(one for one in shipped() if one.passage_id == "fda-metformin-renal")
    assert "contraindicated when eGFR is below 30" in label.text
    assert "between 30 and 45" in label.text


@pytest.mark.parametrize(
    "question",
    [
        "Which dose of hydroxychloroquine is safe in lupus?",
        "What has changed since the last visit?",
        "What should be done?",
        "?",
    ],
)
def test_nothing_shipped_concerns_a_question_about_what_no_passage_has(question: str) -> None:
    assert concerning(question, shipped()) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"passage_id": "Has Spaces"}, "passage_id"),
        ({"text": " "}, "text is empty"),
        ({"text": "x" * 4001}, "longer than"),
        ({"source_kind": "blog"}, "source_kind"),
        ({"published": "May 2024"}, "published"),
        ({"licence": ""}, "licence"),
    ],
)
def test_an_incomplete_passage_is_refused_by_name_and_field(change: dict[str, str], complaint: str) -> None:
    fields = {"passage_id": "some-passage"} | change
    with pytest.raises(PassageError, match=complaint):
        check(passage(**fields))


def test_a_line_that_is_no_passage_is_named_by_its_number() -> None:
    with pytest.raises(PassageError, match="line 2"):
        parse('{"passageId": "one"}\n{"nonsense": 1}\n')
