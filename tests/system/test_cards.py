"""Of the whole story, a drug that nearly killed the patient is named on a card before it is signed."""

from demo.ordering import Card


def test_who_signs_a_drug_of_the_allergy_is_told_by_the_letter_that_says_so(cards: list[Card]) -> None:
    first = cards[0]
    assert first["indicator"] == "critical"
    assert "Allergy" in first["summary"]
    assert "Record: LK" in first["detail"]
