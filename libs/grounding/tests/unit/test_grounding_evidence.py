"""The words of what a sentence cites, as a model reads them."""

from grounding import evidence
from grounding.cited import Cited
from testkit.patients import Patient


def shown(patient: Patient, sentence: str, *names: str) -> str:
    cited = Cited.of(patient.sources, [patient.cite(name) for name in names])
    return evidence.of(sentence, cited.facts, cited.passages)


def test_numbers_units_days_and_states_of_a_fact_stand_in_it(patient: Patient) -> None:
    assert shown(patient, "x", "k") == "potassium 5.6 mmol/L 2026-10-05"
    assert shown(patient, "x", "amoxicillin") == "amoxicillin 1000 mg oral 2025-02-10 ended 2025-02-14"
    assert shown(patient, "x", "naproxen").endswith("2026-10-06 ordered")
    assert "stated to be absent" in shown(patient, "x", "no_stroke")


def test_of_many_lines_the_nearest_are_shown_whole_and_in_their_order() -> None:
    lines = [f"line {number} of nothing in particular, long enough to fill the page" for number in range(20)]
    lines[15] = "potassium 5.6 mmol/L 2026-10-05"
    chosen = evidence.nearest("Potassium was 5.6 mmol/L.", lines)
    assert lines[15] in chosen
    assert chosen == [line for line in lines if line in chosen]
    assert sum(map(len, chosen)) <= evidence.CHARACTERS


def test_one_line_is_shown_however_long_it_is() -> None:
    assert evidence.nearest("x", ["a" * 1000]) == ["a" * 1000]


def test_a_passage_is_shown_by_its_sentences(patient: Patient) -> None:
    assert "below an eGFR of 30" in shown(patient, "Metformin is contraindicated.", "label")


def test_without_citations_nothing_is_shown(patient: Patient) -> None:
    assert shown(patient, "Metformin is contraindicated.") == ""
