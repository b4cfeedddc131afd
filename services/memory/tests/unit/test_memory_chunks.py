from hypothesis import example, given
from hypothesis import strategies as st
from memory.domain.chunks import cut

TEXTS = st.text(st.sampled_from("ab .!?\n\tÄß"), max_size=400)


@given(text=TEXTS, longest=st.integers(5, 60))
def test_every_character_that_is_no_white_space_is_in_exactly_one_chunk(text: str, longest: int) -> None:
    chunks = cut(text, longest)
    covered = [position for chunk in chunks for position in range(chunk.start, chunk.end)]
    assert len(covered) == len(set(covered))
    assert {n for n, character in enumerate(text) if not character.isspace()} <= set(covered)


@given(text=TEXTS, longest=st.integers(5, 60))
@example(text="????a  ?", longest=5)
def test_offsets_give_back_the_chunk_and_none_is_too_long(text: str, longest: int) -> None:
    for chunk in cut(text, longest):
        assert text[chunk.start : chunk.end] == chunk.text
        assert 0 < len(chunk.text) <= longest
        assert chunk.text == chunk.text.strip()


def test_chunks_end_at_sentence_ends() -> None:
    text = "Creatinine was 1.8 mg/dL in May. Lisinopril goes on.\nReview in two weeks."
    assert [chunk.text for chunk in cut(text, 40)] == [
        "Creatinine was 1.8 mg/dL in May.",
        "Lisinopril goes on.\nReview in two weeks.",
    ]


def test_short_sentences_share_a_chunk() -> None:
    assert len(cut("One. Two. Three.", 600)) == 1


def test_a_sentence_longer_than_a_chunk_is_cut_between_words() -> None:
    assert [chunk.text for chunk in cut("alpha beta gamma delta", 12)] == ["alpha beta", "gamma delta"]
