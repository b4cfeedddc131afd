"""A section turns what its lines say; what asserts something is judged; reading grows with the length of a text."""

import pytest
from grounding import Verdict, documents, judge, worst_of
from grounding import sentence as sentence_of
from grounding.comparing.record import Record
from grounding.reading.sections import asks_only, section
from hypothesis import given, settings
from hypothesis import strategies as st
from testkit.patients import example_patient

PATIENT = example_patient()
SUPPORTED, CONTRADICTED, UNSUPPORTED = Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.UNSUPPORTED


def last(text: str) -> tuple[str, Verdict | None]:
    *_, span = judge(text, PATIENT.verifier)
    return text[span.start : span.end], span.verdict


@pytest.mark.parametrize(
    ("above", "line", "verdict"),
    [
        ("Current medications:", "metformin 1000 mg twice daily", SUPPORTED),
        ("Past medications", "metformin 1000 mg twice daily", CONTRADICTED),
        ("Past medications", "amoxicillin", SUPPORTED),
        ("Stopped:", "metformin", CONTRADICTED),
        ("Stopped:", "amoxicillin", SUPPORTED),
        ("Medications", "penicillin", CONTRADICTED),
        ("Medications", "osteoarthritis, left knee", UNSUPPORTED),
        ("Medications", "potassium 5.6 mmol/L", UNSUPPORTED),
        ("Problems:", "osteoarthritis, left knee", SUPPORTED),
        ("Problems:", "Metformin 1000 mg", UNSUPPORTED),
        ("Denies:", "cerebral infarction", SUPPORTED),
        ("Denies:", "osteoarthritis, left knee", CONTRADICTED),
        ("Allergies:", "Penicillin", SUPPORTED),
        ("Allergies:", "Metformin", UNSUPPORTED),
        ("Family history", "breast cancer", SUPPORTED),
        ("Problems:", "breast cancer", UNSUPPORTED),
        ("Resolved problems:", "acute bronchitis", SUPPORTED),
        ("Labs 10/5/26:", "Potassium 5.6 mmol/L", SUPPORTED),
        ("Labs 10/4/26:", "Potassium 5.6 mmol/L", CONTRADICTED),
        ("Assessment:", "Potassium is 5.6 mmol/L", SUPPORTED),
        ("Kidney function:", "Potassium is 5.6 mmol/L", SUPPORTED),
        ("Osteoarthritis, left knee:", "Potassium is 5.6 mmol/L", SUPPORTED),
        ("What never happened:", "Potassium is 5.6 mmol/L", UNSUPPORTED),
        ("If she worsens:", "Potassium is 5.6 mmol/L", UNSUPPORTED),
    ],
)
@pytest.mark.parametrize("form", ["{}\n- {}", "## {}\n\n{}", "**{}**\n1. {}"])
def test_a_section_turns_what_its_lines_say(above: str, line: str, verdict: Verdict, form: str) -> None:
    assert last(form.format(above, line)) == (line, verdict)


@pytest.mark.parametrize(
    "text",
    [
        "Problems: pneumothorax, pleural effusion:",
        "# Acute pneumothorax",
        "She has pneumonia. Course:",
        "Diabetes? No.",
        "Was her potassium 3.0? Yes.",
        "Penicillin allergy? None.",
        "Does she still take naproxen?",
    ],
)
def test_what_asserts_something_is_judged_whatever_its_marks(text: str) -> None:
    spans = judge(text, PATIENT.verifier)
    assert worst_of(spans) is not SUPPORTED
    assert any(each.verdict for each in spans)


def test_it_is_the_only_thing_that_the_sentence_before_names_in_its_paragraph() -> None:
    assert last("Amoxicillin was given in 2025. It was stopped on 14 February 2025.")[1] is SUPPORTED
    assert last("Metformin was given in 2025. It was stopped on 14 February 2025.")[1] is CONTRADICTED
    assert last("Amoxicillin was given in 2025.\n\nIt was stopped on 14 February 2025.")[1] is UNSUPPORTED
    assert last("She takes metformin and lisinopril. It was stopped on 14 February 2025.")[1] is UNSUPPORTED


def test_the_cells_of_a_table_are_read_side_by_side() -> None:
    table = (
        "| Test | Value | Date |\n|---|---|---|\n| Potassium | 5.6 mmol/L | 2026-10-05 |\n| Potassium | 5.1 mmol/L |"
    )
    assert [(table[each.start : each.end], each.verdict) for each in judge(table, PATIENT.verifier)] == [
        ("Test | Value | Date", None),
        ("Potassium | 5.6 mmol/L | 2026-10-05", SUPPORTED),
        ("Potassium | 5.1 mmol/L", CONTRADICTED),
    ]


def test_what_a_sentence_was_read_as_is_told_with_its_place() -> None:
    text = "Labs:\n- Potassium 5.6 mmol/L and she takes metformin."
    *_, span = judge(text, PATIENT.verifier)
    assert [(each.kind, text[each.start : each.end]) for each in span.assertions] == [
        ("measured", "Potassium 5.6 mmol/L"),
        ("takes", "she takes metformin"),
    ]
    assert ("observable", "Potassium") in span.assertions[0].arguments


@pytest.mark.parametrize("line", ["Diagnosis confirmed", "History: none", "Prognosis", "Asthma", "No allergies"])
def test_a_line_with_any_other_word_is_no_section(line: str) -> None:
    assert section(line) is None


def test_a_question_that_presupposes_asks_more_than_it_says() -> None:
    assert asks_only("What next?")
    assert not asks_only("Why was metformin stopped?")
    assert not asks_only("What next? Metformin was stopped.")


NOTHING_ELSE = ("Potassium was 5.6 mmol/L.", "She takes metformin.", "Labs:\n- Creatinine 1.95 mg/dL")


@settings(deadline=None)
@given(st.sampled_from(NOTHING_ELSE), st.sampled_from(["Denies:", "Family history:", "Stopped:", "Never seen:"]))
def test_no_line_below_a_section_that_turns_is_read_alone(text: str, above: str) -> None:
    body = text.partition("\n- ")[2] or text
    assert last(f"{above}\n- {body}")[1] is not SUPPORTED


@pytest.mark.parametrize("sentence", ["She takes metformin. ", "- K 5.6\n", "Labs:\n- K 5.6\n", "no sentence "])
def test_each_sentence_is_read_a_fixed_number_of_times(sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    characters: list[int] = []

    def counted(text: str, record: Record, before: str = "", lead: str = "") -> sentence_of.Reading:
        characters.append(len(lead) + len(text))
        return sentence_of.read(text, record, before, lead)

    monkeypatch.setattr(documents, "read_sentence", counted)

    def work(times: int) -> int:
        characters.clear()
        judge(sentence * times, PATIENT.verifier)
        return sum(characters)

    assert work(80) <= 4 * work(20) + 4 * documents.LONGEST_SENTENCE
