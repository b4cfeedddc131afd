"""Whatever a physician writes, the spans tell exactly what became of every character of the draft."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.assessment_pb2 import ReviewedSpan
from reasoning.domain.edits import edited, kept, removed

KEPT, REMOVED, REPLACED, ADDED = (
    wire.JUDGEMENT_KEPT,
    wire.JUDGEMENT_REMOVED,
    wire.JUDGEMENT_REPLACED,
    wire.JUDGEMENT_ADDED,
)
WORDS = st.lists(
    st.sampled_from(["Takes", "metformin", "1.95", "5", "mg", " ", " ", ".", ",", "\n", "😀", "µg/L"])
).map("".join)
TEXTS = st.one_of(st.text(max_size=80), WORDS)


def applied(original: str, spans: Sequence[ReviewedSpan]) -> str:
    """The text that a trainer gets from a draft and its spans."""
    return "".join(original[each.start : each.end] if each.judgement == KEPT else each.replacement for each in spans)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_spans_cover_the_draft_and_give_the_edited_text(original: str, text: str) -> None:
    spans = edited(original, text)
    assert applied(original, spans) == text
    assert "".join(original[each.start : each.end] for each in spans) == original
    assert all(one.end == other.start for one, other in pairwise(spans))
    for each in spans:
        assert (each.start == each.end) == (each.judgement == ADDED)
        assert bool(each.replacement) == (each.judgement in (REPLACED, ADDED))


@settings(deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_what_is_accepted_is_kept_and_what_is_rejected_removed_as_a_whole(original: str) -> None:
    assert applied(original, kept(original)) == original
    assert applied(original, removed(original)) == ""
    assert (kept(original)[0].end, removed(original)[0].end) == (len(original), len(original))


def test_words_and_numbers_are_judged_whole() -> None:
    original = "Creatinine was 1.95 mg/dL on 2026-10-05."
    spans = edited(original, "Serum creatinine was 1.59 mg/dL.")
    told = [(original[each.start : each.end], each.judgement, each.replacement) for each in spans]
    assert told == [
        ("Creatinine", REPLACED, "Serum creatinine"),
        (" was ", KEPT, ""),
        ("1.95", REPLACED, "1.59"),
        (" mg/dL", KEPT, ""),
        (" on 2026-10-05", REMOVED, ""),
        (".", KEPT, ""),
    ]


def test_an_edit_that_changes_nothing_keeps_everything() -> None:
    assert edited("Takes metformin.", "Takes metformin.") == kept("Takes metformin.")
    assert edited("", "") == kept("") == removed("") == []
