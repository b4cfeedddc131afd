"""How often a dose is taken, in words."""

import pytest
from terminology.frequencies import spoken


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("QD", "once daily"),
        ("bid", "twice daily"),
        ("Q6H", "every 6 hours"),
        ("Q1H", "every hour"),
        ("Q3D", "every 3 days"),
        ("Q4H PRN", "every 4 hours as needed"),
        ("QHS", "at bedtime"),
    ],
)
def test_a_repeat_pattern_is_written_as_words(sent: str, words: str) -> None:
    assert spoken(sent) == words


@pytest.mark.parametrize("sent", ["", "twice daily", "BID with meals", "Q6", "QXH", "1 in the morning"])
def test_what_is_no_repeat_pattern_stays_as_it_was_sent(sent: str) -> None:
    assert spoken(sent) == sent
