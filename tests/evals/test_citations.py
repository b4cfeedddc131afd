"""The citation evaluation counts what it says, over truth that names passages which exist."""

import pytest
from consult import assess

from tests.evals.chain import library
from tests.evals.citations import Item, accepted, case_of, citations
from tests.evals.corpora import Collection
from tests.evals.episodes import play
from tests.evals.players import at_random
from tests.evals.questions import ANSWERED, DANGERS, LATER, UNANSWERED, WIDER, Asked
from tests.evals.tally import AUTHORED, Tally


def test_every_passage_of_the_truth_is_in_the_shipped_library() -> None:
    held = {passage.passage_id for passage in library()}
    assert {each for asked in (*ANSWERED, *LATER, *WIDER) for each in asked.passages} <= held
    assert {each for right in DANGERS.values() for each in right} <= held
    assert all(asked.passages for asked in ANSWERED)
    assert not any(asked.passages for asked in UNANSWERED)


def test_what_nobody_judged_counts_neither_for_nor_against() -> None:
    tally = Tally()
    tally.add(Asked("?", frozenset("a"), frozenset("ab")), ["a", "b", "c"])
    assert (tally.right, tally.wrong) == (1, 1)


def test_a_quotation_beside_an_alert_is_right_but_answers_nothing() -> None:
    tally = Tally()
    tally.add(Asked("?", frozenset("a")), ["x"], frozenset("x"))
    assert (tally.figures["precision"], tally.figures["recall"]) == (1.0, 0.0)


@pytest.mark.parametrize("asked", [ANSWERED[0], UNANSWERED[0]])
def test_whatever_the_model_does_only_what_concerns_the_question_is_cited(asked: Asked) -> None:
    owner = case_of(Item(Collection(AUTHORED, library(), (asked,)), asked), 7)
    cited = citations(assess(owner.prepared, play([owner], at_random())[0].outcome))
    offered = {passage.passage_id for passage in owner.record.context.passages}
    assert {passage for passage, _ in cited} - accepted(cited) <= offered
    assert bool(offered) == bool(asked.passages)
