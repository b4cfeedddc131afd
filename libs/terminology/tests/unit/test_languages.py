"""The language of a text is told where its small words tell it, and never guessed."""

import pytest
from terminology import languages


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wir berichten über die Patientin. Bitte Kontrolle in drei Monaten.", "German"),
        ("La patiente a été hospitalisée pour une pneumonie.", "French"),
        ("Paciente ingresada por disnea. Se inicia furosemida con buena evolución.", "Spanish"),
        ("La paziente è stata ricoverata per una polmonite.", "Italian"),
        ("De patiënt werd opgenomen met een longontsteking.", "Dutch"),
        ("A doente foi internada com pneumonia e não tem alergias.", "Portuguese"),
        ("Chora przyjęta z powodu duszności, nie jest uczulona.", "Polish"),
        ("The patient was admitted with pneumonia.", ""),
        ("Potassium 5.6 mmol/L", ""),
        ("She was seen in Den Haag and told to die Tabletten.", ""),
        ("", ""),
    ],
)
def test_a_language_is_named_by_two_small_words_and_english_is_not(text: str, language: str) -> None:
    assert languages.of(text) == language


def test_no_small_word_of_a_language_is_english() -> None:
    english = languages.known()[languages.ENGLISH]
    assert not {word for name, words in languages.known().items() if name != languages.ENGLISH for word in words} & (
        english - {"in", "on", "is", "an", "was", "as", "at", "do", "no", "to", "has", "by"}
    )
