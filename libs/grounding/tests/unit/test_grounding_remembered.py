"""The cache of judgements: exact, bounded, of one model."""

import pytest
from grounding import Judgement, Pair
from grounding.remembered import Remembered, key
from hypothesis import given
from hypothesis import strategies as st
from testkit.patients import example_patient

PAIR = Pair("No rise: takes metformin 5 mg twice daily, potassium 5.6 mmol/L.", "metformin 5 mg Oral BID 2024-03-12")
JUDGED = Judgement(0.7, 0.1, 0.2)


def remembering(most: int = 10) -> Remembered:
    held = Remembered(most)
    held.keep(PAIR, JUDGED, "one")
    return held


def test_the_same_pair_is_found_again() -> None:
    assert remembering().find(Pair(PAIR.sentence, PAIR.evidence)) == JUDGED


@pytest.mark.parametrize(
    ("old", "new"),
    [("5 mg", "50 mg"), ("5 mg", "5 g"), ("mmol/L", "mg/dL"), ("No rise", "A rise"), ("twice", "once"), ("5.6", "56")],
)
def test_another_number_unit_or_negation_is_not_found(old: str, new: str) -> None:
    assert remembering().find(Pair(PAIR.sentence.replace(old, new), PAIR.evidence)) is None


@pytest.mark.parametrize(("old", "new"), [("5 mg", "50 mg"), ("BID", "QD"), ("2024", "2025"), ("Oral", "Oral ended")])
def test_another_source_is_not_found(old: str, new: str) -> None:
    assert remembering().find(Pair(PAIR.sentence, PAIR.evidence.replace(old, new))) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_pairs_share_a_key_only_if_they_are_the_same(one: str, other: str) -> None:
    assert (key(Pair(one, other)) == key(Pair(other, one))) is (one == other)
    assert (key(Pair(one, "x")) == key(Pair(other, "x"))) is (one == other)


def test_every_number_unit_and_state_of_a_cited_fact_is_in_the_key() -> None:
    patient = example_patient()
    text = "The outlook is excellent."
    keys = {key(patient.check(text, name).open[0].pair) for name in ("metformin", "lisinopril", "cr1", "cr2", "knee")}
    assert len(keys) == 5


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    held = remembering(most=2)
    held.keep(Pair("b", ""), JUDGED, "one")
    assert held.find(PAIR) == JUDGED
    held.keep(Pair("c", ""), JUDGED, "one")
    assert (len(held), held.find(Pair("b", "")), held.find(PAIR)) == (2, None, JUDGED)


def test_the_judgements_of_another_model_are_forgotten() -> None:
    held = remembering()
    held.keep(Pair("b", ""), JUDGED, "two")
    assert (held.find(PAIR), held.find(Pair("b", ""))) == (None, JUDGED)
