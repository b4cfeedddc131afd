from typing import Any

import pytest
from consult.context.relevance import concerning
from consult.rules import CITED_PASSAGES
from consult.visits import passages
from contracts.packages import PackageError
from contracts.publishers import verify
from longitude.record.v1.context_pb2 import Passage
from memory.domain.passages import PassageError, check
from memory.flows.library import own_publishers, shipped, shipped_packages


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


def test_a_passage_that_says_that_it_was_released_is_refused() -> None:
    forged = passage("some-passage")
    forged.release.approved_by.append("Dr Nobody")
    with pytest.raises(PassageError, match="release"):
        check(forged)


def test_a_text_of_more_doses_than_anybody_reads_is_refused() -> None:
    with pytest.raises(PassageError, match="doses"):
        check(passage("some-passage", text="1 mg " * 51))


def test_what_ships_is_signed_and_a_word_changed_in_it_would_show() -> None:
    for package in shipped_packages():
        assert package.manifest is not None
        package.passages[0].text += " "
        with pytest.raises(PackageError, match="does not hold"):
            verify(package.manifest, package.passages, own_publishers())
