import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory.domain.words import EDITION, MOST, asked, weighed


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
        ("HBA1C", "HbA1c of 7.4 %"),
        ("B12?", "vitamin B12 is low"),
        ("B-12", "vitamin B12 is low"),
        ("5FU", "four cycles of 5-FU"),
        ("5-FU", "four cycles of 5FU"),
        ("NTproBNP", "NT-proBNP 412"),
        ("CHA2DS2VASc", "CHA2DS2-VASc is 3"),
        ("L4-L5", "a disc at L4/L5"),
        ("Oedem", "Ödem beidseits"),
        ("Ödem", "Oedem beidseits"),
        ("Knoecheloedem", "Knöchelödeme abends"),
        ("Groesse", "Größe 1,78 m"),
        ("o\u0308dem", "Oedem"),
        ("гипертония", "Гипертония"),
    ],
)
def test_a_word_is_found_whatever_its_case_ending_and_accents(query: str, text: str) -> None:
    assert shared(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("metformin", "metoprolol"),
        ("What is the INR?", "What is the plan?"),
        ("74", "HbA1c 7.4"),
        ("1278", "between 12,78 and 13"),
        ("1000", "10000 units"),
    ],
)
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


@pytest.mark.parametrize(("query", "better", "worse"), [("5-FU", "5-FU", "FU 5"), ("9.1", "9.1 to 3", "1.3 to 9")])
def test_what_is_joined_weighs_more_than_its_parts(query: str, better: str, worse: str) -> None:
    assert shared(query, better) > shared(query, worse)


def test_the_same_text_has_the_same_words_in_every_process_and_release() -> None:
    # Whoever changes these raises the edition, so that the index takes all words again.
    assert EDITION == 2
    words = (643226034, 1376869229, 1790921346, 2226203566, 2780586590, 3052400971, 3458840571, 4088798008, 4107720606)
    assert weighed("HbA1c 7,4 % Ödeme, 5-FU") == dict.fromkeys(words, pytest.approx(1.4013, abs=1e-4))


@pytest.mark.parametrize("text", ["a-b " * 2_000, "ö" * 2_000, "-" * 2_000, "x" * 100_000, "ä.ö" * 40_000])
def test_a_text_of_any_kind_has_so_many_words_and_is_read_in_no_time(text: str) -> None:
    began = time.process_time()
    assert len(weighed(text)) <= MOST
    assert time.process_time() - began < 1


def test_the_words_of_the_longest_text_that_is_prose_count_to_the_last() -> None:
    assert shared("w999", " ".join(f"w{number}" for number in range(MOST)))
    assert not shared("w1000", " ".join(f"w{number}" for number in range(MOST + 1)))


@given(st.text())
def test_dimensions_are_of_32_bits_and_weights_positive_whatever_the_text(text: str) -> None:
    weights = weighed(text)
    assert all(0 <= word < 2**32 for word in weights)
    assert all(weight > 0 for weight in weights.values())
    assert asked(text).keys() == weights.keys()
