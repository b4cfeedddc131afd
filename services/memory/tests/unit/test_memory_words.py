import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory.domain.words import asked, weighed


def shared(query: str, text: str) -> set[int]:
    return asked(query).keys() & weighed(text).keys()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("BISOPROLOL", "bisoprolol was stopped"),
        ("pauses", "one pause"),
        ("Oedem", "OEDEM"),
        ("odem", "Ödem beidseits"),
        ("Fussödem", "Fußödem"),
        ("8.9", "kidneys of 8.9 and 9.1 cm"),
        ("гипертония", "Гипертония"),
    ],
)
def test_a_word_is_found_whatever_its_case_ending_and_accents(query: str, text: str) -> None:
    assert shared(query, text)


@pytest.mark.parametrize(("query", "text"), [("metformin", "metoprolol"), ("What is the INR?", "What is the plan?")])
def test_other_words_and_words_that_ask_find_nothing(query: str, text: str) -> None:
    assert not shared(query, text)


def test_a_word_weighs_more_the_oftener_it_stands_in_a_piece_and_less_the_longer_the_piece() -> None:
    (word,) = asked("pause")
    once, twice = weighed("pause of a heart")[word], weighed("pause, then a pause")[word]
    assert once < twice < 2 * once
    assert weighed("pause " + "telemetry rhythm ward " * 20)[word] < once


def test_a_query_counts_a_repeated_word_once() -> None:
    assert asked("pauses and pauses") == asked("pause")
    assert set(asked("pauses at night").values()) == {1.0}


@given(st.text())
def test_dimensions_are_of_32_bits_and_weights_positive_whatever_the_text(text: str) -> None:
    weights = weighed(text)
    assert all(0 <= word < 2**32 for word in weights)
    assert all(weight > 0 for weight in weights.values())
    assert asked(text).keys() == weights.keys()
