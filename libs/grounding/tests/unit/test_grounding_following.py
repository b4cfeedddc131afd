"""A text that comes bit by bit is cut into the sentences of the whole, each as soon as nothing can change it."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise

import pytest
from grounding import TooManySentencesError, documents
from grounding.documents import Cutter, Piece, pieces
from grounding.spans import Span, sentences
from hypothesis import example, given, settings
from hypothesis import strategies as st

# What decides where sentences, lines and blocks begin and end, beside words that do not.
FRAGMENTS = (
    *(
        "Potassium was 5.6 mmol/L.",
        "takes",
        "Takes metformin",
        "Stopped:",
        "Medications",
        "Denies:",
        "e.g.",
        "Dr.",
        "p.o.",
    ),
    *(
        "E.",
        "coli",
        "rose to",
        "and",
        "6.",
        "6",
        ".",
        "!",
        "?",
        ":",
        ";",
        ",",
        "“",
        "”",
        '"',
        ")",
        "(",
        "a)",
        "1.",
        "1)",
    ),
    *("*", "**", "_", "`", "# ", "## ", "- ", "* ", "| ", "|", "[ ] ", "—", "…", " ", "  ", "\n", "\n\n", "\r", "\r\n"),
    *(
        "\u2028",
        "\v",
        "\ufeff",
        "😀",
        "Past medical history",
        "x" * 55,
        "What now?",
        "---",
        "The label says “No. 5. Go.”",
    ),
)
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=24).map("".join)
LETTER = (
    "# Summary\r\n\r\nPotassium was 5.6 mmol/L. She takes metformin 1000 mg p.o. b.i.d. with food.\r\n"
    "## Stopped\n- Amoxicillin\n- Ibuprofen. It was stopped by Dr. Green.\n\nPrognosis is good.\n"
)


def shown(given_pieces: Sequence[Piece]) -> list[tuple[object, ...]]:
    """All of a piece that its verdict depends on."""
    return [(each.span, each.words, each.before, each.block.above, each.block.leads, each.block.is_row)
            for each in given_pieces]  # fmt: skip


def fed(parts: Sequence[str]) -> Iterator[Piece]:
    cutter = Cutter()
    for part in parts:
        yield from cutter.feed(part)
    yield from cutter.end()


@given(TEXTS, st.data())
@settings(max_examples=1_500, deadline=None)
def test_a_text_gives_the_same_sentences_however_it_was_cut(text: str, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(text)), max_size=8)) if text else []
    parts = [text[start:end] for start, end in pairwise(sorted({0, *places, len(text)}))]
    assert shown(list(fed(parts))) == shown(list(pieces(text)))


@given(TEXTS)
@example(LETTER)
@example("“One. “Two. Three.” Four. Five")
@example("She said “No. 5. Go. Takes 5.6 mg. Denies pain")
@settings(max_examples=500, deadline=None)
def test_a_text_gives_the_same_sentences_character_by_character(text: str) -> None:
    assert shown(list(fed(text))) == shown(list(pieces(text)))


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("Potassium was 5.6 mmol/L. S", ["Potassium was 5.6 mmol/L."]),
        ("Potassium was 5.6 mmol/L.", []),
        ("Potassium was 5.6 mmol/L.\n", ["Potassium was 5.6 mmol/L."]),
        ("- Metformin\n- A", ["Metformin"]),
        ("- Metformin\n", []),
        ("Seen by Dr. Green", []),
        ("# Stopped\n", []),
        ("# Stopped\n- Metformin. I", ["Stopped", "Metformin."]),
        ("“One. Two. Three", []),
        ("“One. Two.” Three. F", ["“One. Two.” Three."]),
        ("| K | 5.6 |\n", ["K   5.6"]),
    ],
)
def test_a_sentence_is_given_as_soon_as_nothing_can_change_it(text: str, complete: list[str]) -> None:
    cutter = Cutter()
    assert [piece.words.strip() for letter in text for piece in cutter.feed(letter)] == complete


def test_a_text_of_too_many_sentences_ends_with_the_first_too_many() -> None:
    cutter = Cutter()
    taken = [piece.words for _ in range(2_000) for piece in cutter.feed("K is 5. ")]
    assert len(taken) == 1_999
    with pytest.raises(TooManySentencesError):
        list(cutter.feed("K is 5. K is 6."))


@pytest.mark.parametrize("unit", ["x", "e.g. x ", "a,\n", "“a. ", "*", "a. b,\n"])
def test_what_comes_bit_by_bit_is_read_a_few_times_however_long_it_is(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def counted(text: str, *, clauses: bool) -> tuple[Span, ...]:
        nonlocal read
        read += len(text)
        return sentences(text, clauses=clauses)

    monkeypatch.setattr(documents, "sentences", counted)
    text = (unit * 20_000)[:20_000]
    cutter = Cutter()
    with suppress(TooManySentencesError):
        for start in range(0, len(text), 4):
            list(cutter.feed(text[start : start + 4]))
    # A sentence of 1,000 characters may be looked at with each of its words; what is longer, eight times a doubling.
    assert read < 150 * len(text)
