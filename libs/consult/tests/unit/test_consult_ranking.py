from typing import Any

import pytest
from consult.context.ranking import Question, rank, words
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import CodedConcept

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def passage(passage_id: str, text: str = "text", **more: str) -> Passage:
    filled: dict[str, Any] = {"title": "title", "source_kind": "guideline"}
    return Passage(passage_id=passage_id, text=text, **filled | more)


def ids(question: Question, *candidates: tuple[Passage, float]) -> list[str]:
    return [ranked.passage.passage_id for ranked in rank(question, candidates, limit=10)]


def test_the_nearest_in_meaning_comes_first_when_words_say_nothing() -> None:
    assert ids(Question("zzz"), (passage("near"), 0.9), (passage("far"), 0.2)) == ["near", "far"]


def test_a_passage_about_the_concept_asked_for_beats_one_of_equal_meaning() -> None:
    about = passage("zz-about")
    about.codes.append(CodedConcept(system=RXNORM, code="6809", display="metformin"))
    question = Question("dose", codes={f"{RXNORM}|6809": 2})
    assert ids(question, (passage("aa-other"), 0.5), (about, 0.5)) == ["zz-about", "aa-other"]


def test_a_code_written_in_the_query_is_matched_exactly() -> None:
    about = passage("zz-about")
    about.codes.append(CodedConcept(system=RXNORM, code="6809", display="metformin"))
    assert ids(Question("6809"), (passage("aa-other", text="680 and 9"), 0.5), (about, 0.5)) == ["zz-about", "aa-other"]


def test_pico_elements_weigh_in() -> None:
    children = passage("children", population="children with asthma")
    adults = passage("adults", population="adults with chronic kidney disease")
    question = Question("treatment", {"population": "adults with kidney disease"})
    assert ids(question, (children, 0.5), (adults, 0.5)) == ["adults", "children"]


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ({"grade": "1A"}, {"grade": "1B"}),
        ({"grade": "1B"}, {"grade": "2A"}),
        ({"grade": "A"}, {"grade": ""}),
        ({"source_kind": "guideline"}, {"source_kind": "cohort"}),
    ],
)
def test_the_stronger_source_breaks_a_tie(stronger: dict[str, str], weaker: dict[str, str]) -> None:
    found = (passage("aa-weak", **weaker), 0.5), (passage("zz-strong", **stronger), 0.5)
    assert ids(Question("text"), *found) == ["zz-strong", "aa-weak"]


def test_words_ignore_case_plurals_and_what_carries_no_meaning() -> None:
    assert words("The NSAIDs of the Kidney") == words("nsaid kidneys")
