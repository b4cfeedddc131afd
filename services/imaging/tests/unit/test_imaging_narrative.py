"""Family history, denied findings and reasons to stop a drug, in letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imaging.domain.narrative import find_denials, find_family, find_stops


def denied(text: str) -> set[str]:
    return {statement.finding.display for statement in find_denials(text)}


def family(text: str) -> set[tuple[str, str, bool]]:
    return {(said.relative, said.condition.display, said.present) for said in find_family(text)}


def stopped(text: str) -> set[tuple[str, str]]:
    return {(said.drug.display, said.reason) for said in find_stops(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She denies chest pain.", {"chest pain"}),
        ("Denies fever, chills, chest pain and shortness of breath.", {"fever", "chest pain", "dyspnoea"}),
        ("No history of stroke or diabetes.", {"stroke", "diabetes mellitus"}),
        ("No fever, cough, or chest pain.", {"fever", "cough", "chest pain"}),
        ("Pneumonia was ruled out.", {"pneumonia"}),
        ("He does not have asthma.", {"asthma"}),
        ("No fever, chest pain since Monday.", {"fever"}),
        ("Denies fever but has chest pain.", {"fever"}),
        ("No evidence of pneumonia today.", {"pneumonia"}),
    ],
)
def test_what_is_denied(text: str, expected: set[str]) -> None:
    assert denied(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "She has chest pain.",
        "No improvement in chest pain.",
        "No cancer screening.",
        "No diabetes medication.",
        "No chest pain on exertion.",
        "Denies orthopnoea.",
        "Denies pancreatic cancer.",
        "No acute fracture.",
        "The lump was not cancer.",
        "Return if no fever.",
        "Any chest pain? No fever?",
        "Her mother denies fever.",
        "Siblings are healthy. Negative for diabetes.",
        "Cannot rule out pneumonia.",
        "No symptoms of angina or heart failure.",
        "Family history: positive for gout. Negative for stroke.",
        "No family history of stroke.",
        "No known allergies.",
    ],
)
def test_what_is_not_denied(text: str) -> None:
    assert denied(text) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mother had breast cancer at 50.", {("mother", "malignant neoplasm of breast", True)}),
        (
            "Father with diabetes and hypertension.",
            {("father", "diabetes mellitus", True), ("father", "hypertension", True)},
        ),
        ("FAMILY HISTORY:\nSister died of stroke.", {("sister", "stroke", True)}),
        (
            "Mother has asthma, father had gout.",
            {("mother", "asthma", True), ("father", "gout", True)},
        ),
        ("Her maternal great-grandmother had asthma.", {("maternal great-grandmother", "asthma", True)}),
        ("Family history of asthma.", {("family", "asthma", True)}),
        ("Family history: hypertension", {("family", "hypertension", True)}),
        (
            "No family history of stroke or diabetes.",
            {("family", "stroke", False), ("family", "diabetes mellitus", False)},
        ),
        ("Family history is negative for stroke.", {("family", "stroke", False)}),
    ],
)
def test_what_runs_in_the_family(text: str, expected: set[tuple[str, str, bool]]) -> None:
    assert family(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Her mother says she has asthma.",
        "Mother reports fever.",
        "Her husband had a stroke.",
        "Her father-in-law had a stroke.",
        "Mother had no diabetes.",
        "Mother had diabetes screening.",
        "No family history of pancreatic cancer.",
        "Mother at risk of stroke.",
        "She has asthma.",
    ],
)
def test_what_is_no_family_history(text: str) -> None:
    assert family(text) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lisinopril stopped because of cough.", {("lisinopril", "cough")}),
        ("Metformin was discontinued due to diarrhoea.", {("metformin", "diarrhoea")}),
        ("We stopped her simvastatin because of muscle pain, and started another.", {("simvastatin", "muscle pain")}),
        ("Amlodipine had been stopped in May 2023 owing to ankle swelling", {("amlodipine", "ankle swelling")}),
    ],
)
def test_why_a_drug_was_stopped(text: str, expected: set[tuple[str, str]]) -> None:
    assert stopped(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Lisinopril was not stopped because of cough.",
        "Never stopped metformin because of diarrhoea.",
        "Lisinopril should be stopped because of cough.",
        "Stop lisinopril if cough.",
        "His father stopped lisinopril because of cough.",
        "Smoking stopped because of cough.",
        "Lisinopril stopped.",
        "Lisinopril was held because of hypotension.",
    ],
)
def test_what_is_no_reason(text: str) -> None:
    assert stopped(text) == set()


SENTENCES = st.sampled_from(["Denies chest pain.", "Mother had gout.", "Lisinopril stopped because of cough."])


def quoted(text: str) -> list[tuple[int, int]]:
    spans = [(said.start, said.end) for said in find_denials(text)]
    spans += [(said.start, said.end) for said in find_family(text)]
    return spans + [(said.start, said.end) for said in find_stops(text)]


@given(st.text(max_size=80), SENTENCES)
def test_what_is_quoted_lies_within_the_text(before: str, sentence: str) -> None:
    text = f"{before}\n\n{sentence}"
    assert all(0 <= start < end <= len(text) for start, end in quoted(text))


# A word before it may turn a sentence: under `FATHER` it is not the patient who denies.
@given(st.text(st.characters(exclude_categories=["L", "C"]), max_size=80), SENTENCES)
def test_a_statement_is_quoted_from_the_place_it_says(before: str, sentence: str) -> None:
    text = f"{before}\n\n{sentence}"
    assert any(text[start:end] in sentence and start > len(before) for start, end in quoted(text))
