"""Names in a text are found whole, the longest first."""

import pytest
from terminology.naming import Lexicon, Name

LEXICON = Lexicon(
    [
        Name("diabetes", "dm"),
        Name("type 2 diabetes", "t2"),
        Name("N/V", "nv"),
        Name("PE", "pe", ambiguous=True),
        Name("poor blood", "anaemia", ambiguous=True),
    ]
)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("type 2 diabetes", ["t2"]),
        ("Type-2  DIABETES, diabetes", ["t2", "dm"]),
        ("type 2; diabetes", ["dm"]),
        ("prediabetes and diabetesx", []),
        ("n/v today", ["nv"]),
        ("PE pe Pe", ["pe"]),
        ("Poor blood", ["anaemia"]),
        ("", []),
    ],
)
def test_mentions(text: str, keys: list[str]) -> None:
    assert [key for mention in LEXICON.mentions(text) for key in mention.keys] == keys


def test_a_mention_says_where_it_stands() -> None:
    (mention,) = LEXICON.mentions("has Type 2 Diabetes.")
    assert "has Type 2 Diabetes."[mention.start : mention.end] == mention.text == "Type 2 Diabetes"


def test_only_a_whole_text_is_exactly_a_name() -> None:
    assert LEXICON.exactly("diabetes.") is not None
    assert LEXICON.exactly("no diabetes") is None
    assert Lexicon([]).mentions("anything") == ()
