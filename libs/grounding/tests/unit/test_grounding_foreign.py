"""A text of another system keeps its offsets, and what stands above a line is read with it; nothing passes unread."""

from itertools import pairwise

import pytest
from grounding import TooManySentencesError, Verdict, judge, worst_of
from grounding.layout import blocks
from hypothesis import given, settings
from hypothesis import strategies as st
from testkit.patients import example_patient

PATIENT = example_patient()
SUPPORTED, CONTRADICTED, UNSUPPORTED = Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.UNSUPPORTED

LETTER = (
    "\ufeff# Discharge summary\r\n\r\n"
    "**Assessment and plan:**\r\n"
    "1. Creatinine rose from 0.92 to 1.95 mg/dL over 3 years. 😀\r\n"
    "2) Takes **metformin** 500 mg p.o. b.i.d. Potassium is 5.6 mmol/L.\r\n"
    "\r\n---\r\n"
    "Prognosis is excellent."
)


def judged(text: str) -> list[tuple[str, Verdict | None]]:
    return [(text[each.start : each.end], each.verdict) for each in judge(text, PATIENT.verifier)]


def test_every_sentence_is_judged_at_its_place_in_the_text_as_it_came() -> None:
    assert judged(LETTER) == [
        ("Discharge summary", None),
        ("Assessment and plan:", None),
        ("Creatinine rose from 0.92 to 1.95 mg/dL over 3 years.", SUPPORTED),
        ("Takes **metformin** 500 mg p.o. b.i.d.", CONTRADICTED),
        ("Potassium is 5.6 mmol/L.", SUPPORTED),
        ("Prognosis is excellent.", UNSUPPORTED),
    ]
    (wrong,) = [claim for each in judge(LETTER, PATIENT.verifier) for claim in each.claims if claim.check == "dose"]
    assert LETTER[wrong.start : wrong.end] == "500 mg"
    assert wrong.reason == "the record has 1000 mg oral twice daily"


@pytest.mark.parametrize(
    ("text", "last", "verdict"),
    [
        ("Discontinued medications:\n- Amoxicillin\n- Metformin 1000 mg", "Metformin 1000 mg", CONTRADICTED),
        (
            "No evidence of:\n\n* pleural effusion\n\n* osteoarthritis, left knee",
            "osteoarthritis, left knee",
            CONTRADICTED,
        ),
        ("## Family history\n\nAcute bronchitis.", "Acute bronchitis.", UNSUPPORTED),
        ("Family history:\nBreast cancer", "Breast cancer", SUPPORTED),
        ("- Stopped:\n  - amoxicillin\n  - lisinopril", "lisinopril", CONTRADICTED),
        ("The patient does not have\nosteoarthritis, left knee.", None, CONTRADICTED),
        ("She does not have\n- asthma\n- osteoarthritis, left knee", "osteoarthritis, left knee", CONTRADICTED),
        ("The patient has a\nfamily history\nof breast cancer.", None, SUPPORTED),
        (
            "Takes metformin 1000 mg twice daily, and the serum creatinine was\n1.95 mg/dL on 2026-10-05.",
            None,
            SUPPORTED,
        ),
        ("Creatinine 1.95 mg/dL\nPotassium 5.6 mmol/L\nMetformin 500 mg", "Metformin 500 mg", CONTRADICTED),
        ("Stopped:\n- amoxicillin\n\nLisinopril is active.", "Lisinopril is active.", SUPPORTED),
        ("## Family history\n## Problems\nLeft knee osteoarthritis.", "Left knee osteoarthritis.", SUPPORTED),
        ("## Problems\nAcute bronchitis.", "Acute bronchitis.", CONTRADICTED),
        ("Stopped:\n- amoxicillin\nLisinopril is active.", "Lisinopril is active.", SUPPORTED),
    ],
)
def test_a_line_is_read_with_the_lines_that_lead_it(text: str, last: str | None, verdict: Verdict) -> None:
    assert judged(text)[-1] == (last or text, verdict)


@pytest.mark.parametrize(
    "text",
    [
        "Start metformin.",
        "Continue lisinopril 20 mg.",
        "Metformin must be taken.",
        "- Repeat potassium 5.6 mmol/L",
    ],
)
def test_an_instruction_is_never_supported(text: str) -> None:
    (span,) = judge(text, PATIENT.verifier)
    assert span.verdict is UNSUPPORTED
    assert span.reason


@pytest.mark.parametrize(
    "text",
    [
        "Allergy to metformin.",
        "She is allergic to penicillin and metformin.",
        "Metformin allergy.",
        "Allergies:\n- Penicillin\n- Metformin",
        "Medications: lisinopril, potassium",
        "Problem: metformin.",
    ],
)
def test_an_entry_of_another_kind_supports_nothing(text: str) -> None:
    *_, last = judge(text, PATIENT.verifier)
    assert last.verdict is UNSUPPORTED
    assert last.reason


def test_a_drug_that_ended_is_not_taken_because_an_allergy_to_its_class_lasts() -> None:
    (span,) = judge("Takes penicillin.", PATIENT.verifier)
    assert span.verdict is CONTRADICTED
    assert "until 2025-02-14" in span.reason


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Chronic kidney disease, stage 4.", SUPPORTED),
        ("Chronic kidney disease, stage 3.", CONTRADICTED),
        ("KDIGO stage G3a on 2025-02-10.", SUPPORTED),
    ],
)
def test_a_stage_without_a_day_is_that_of_the_newest_value(text: str, verdict: Verdict) -> None:
    (span,) = judge(text, PATIENT.verifier)
    assert span.verdict is verdict


def test_two_true_entries_are_no_reason_for_each_other() -> None:
    (span,) = judge("Metformin 1000 mg for osteoarthritis, left knee.", PATIENT.verifier)
    assert span.verdict is UNSUPPORTED


def test_what_was_done_is_no_instruction() -> None:
    assert judged("She takes metformin.\nIncrease in creatinine to 1.95 mg/dL.") == [
        ("She takes metformin.", SUPPORTED),
        ("Increase in creatinine to 1.95 mg/dL.", SUPPORTED),
    ]


def test_a_number_that_begins_a_wrapped_line_is_no_mark() -> None:
    assert judged("Potassium rose to\n9. Metformin is active.")[:2] == [
        ("Potassium rose to", UNSUPPORTED),
        ("9.", UNSUPPORTED),
    ]


@pytest.mark.parametrize(
    "lie",
    [
        "Creatinine was 1.21 mg/dL on 2026-10-05.",
        "Takes metformin 850 mg three times daily.",
        "Amoxicillin was stopped on 2025-02-10.",
        "No chronic kidney disease, stage 4.",
        "Her mother had acute bronchitis.",
        "The patient denies osteoarthritis, left knee.",
        "Naproxen is currently taken.",
        "Creatinine fell from 0.92 mg/dL (2024-03-12) to 1.95 mg/dL (2026-10-05).",
    ],
)
def test_no_line_break_and_no_mark_lets_a_lie_pass(lie: str) -> None:
    places = [place for place, character in enumerate(lie) if character == " "]
    for put in ("\n", "\r\n", "\n  ", "\n- ", ":\n- ", "\n\n"):
        for place in places:
            text = lie[:place] + put + lie[place + 1 :]
            assert worst_of(judge(text, PATIENT.verifier)) is not SUPPORTED, text


@pytest.mark.parametrize(
    "text", ["## Medications", "Plan:", "Past medical history", "What next?", "How is the potassium now?"]
)
def test_headings_and_questions_that_say_nothing_are_no_claims(text: str) -> None:
    assert {verdict for _, verdict in judged(text)} == {None}
    assert worst_of(judge(text, PATIENT.verifier)) is UNSUPPORTED


@pytest.mark.parametrize(
    "text",
    [
        "## Asthma",
        "Assessment of asthma:",
        "Has asthma been controlled?",
        "Why was metformin stopped?",
        "No allergies",
        "Denies:",
        "The patient was seen.",
        "Diagnosis confirmed",
        "History: none",
        "5?",
        "“Nothing of the kind”:",
    ],
)
def test_what_is_unknown_or_false_never_passes_as_no_claim(text: str) -> None:
    assert all(verdict in (UNSUPPORTED, CONTRADICTED) for _, verdict in judged(text))


def test_a_quotation_over_several_lines_is_judged_in_each_of_them() -> None:
    assert {verdict for _, verdict in judged("It says “stop.\n\n## Asthma\n\nMetformin 1000 mg” twice.")} <= {
        CONTRADICTED,
        UNSUPPORTED,
    }


MARKS = ("- ", "1. ", "# ", "\n", "\r\n", "  ", ":", "“", "”", "? ", "metformin", "asthma", "not ", "**", "😀")


def test_a_sentence_too_long_to_be_read_is_unsupported_and_the_others_are_judged() -> None:
    long = "metformin 1000 mg, " * 60 + "daily."
    text = f"{long} Potassium is 5.6 mmol/L.\n- Takes metformin 500 mg."
    assert [verdict for _, verdict in judged(text)] == [UNSUPPORTED, SUPPORTED, CONTRADICTED]
    assert "was not read" in judge(text, PATIENT.verifier)[0].reason
    with pytest.raises(TooManySentencesError, match="check it in parts"):
        judge("x:\n" * 3_000, PATIENT.verifier)


TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from(MARKS),
        max_size=40,
    ).map("".join),
)


@settings(deadline=None)
@given(TEXTS)
def test_spans_are_in_order_exact_and_hold_every_letter_of_any_text(text: str) -> None:
    spans = judge(text, PATIENT.verifier)
    assert all(0 <= each.start < each.end <= len(text) for each in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert all(each.start <= claim.start < claim.end <= each.end for each in spans for claim in each.claims)
    inside = {place for each in spans for place in range(each.start, each.end)}
    # The letter of an item's mark, as in `a)`, is layout.
    outside = "".join(character for place, character in enumerate(text) if place not in inside)
    assert sum(map(str.isalpha, outside)) <= text.count(")")


@settings(deadline=None)
@given(TEXTS)
def test_an_unknown_word_is_in_a_span_that_is_not_supported(text: str) -> None:
    for words, verdict in judged(text):
        # That there is none may be true: the record has none.
        is_denied = "not " in words.casefold()
        assert "asthma" not in words or is_denied or verdict in (UNSUPPORTED, CONTRADICTED)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_a_block_is_the_text_itself_with_marks_blanked(text: str) -> None:
    for block in blocks(text):
        own = text[block.start : block.start + len(block.text)]
        assert all(mine in (theirs, " ") for mine, theirs in zip(block.text, own, strict=True))
