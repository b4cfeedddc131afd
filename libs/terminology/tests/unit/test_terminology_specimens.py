"""Specimens: words and codes lead to one specimen, and another specimen is never taken for blood."""

from collections import Counter

import pytest
from terminology.specimens import by_code, specimen, specimen_in, without_blood
from terminology.tables import read

ROWS = read("specimens", ("specimen", "counts_as", "words", "hl7", "snomed", "source"))


def test_every_word_and_code_belongs_to_one_specimen() -> None:
    words = Counter(word for row in ROWS for word in {row["specimen"], *row.several("words")})
    codes = Counter(code for row in ROWS for code in (*row.several("hl7"), *row.several("snomed")))
    assert [word for word, count in words.items() if count > 1] == []
    assert [code for code, count in codes.items() if count > 1] == []
    assert {row["counts_as"] for row in ROWS} == {"", "blood"}


def test_words_and_codes_lead_back() -> None:
    for row in ROWS:
        words = {word: specimen(word) for word in (row["specimen"], *row.several("words"))}
        codes = {code: by_code(code) for code in (*row.several("hl7"), *row.several("snomed"))}
        for written, known in (words | codes).items():
            assert known is not None, written
            assert known.name == row["specimen"], written


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Creatinine [Mass/volume] in Urine", "urine"),
        ("Urine creatinine", "urine"),
        ("Kreatinin im Urin", "urine"),
        ("Kreatinin im Harn", "urine"),
        ("Glucose, CSF", "cerebrospinal fluid"),
        ("Liquor-Glukose", "cerebrospinal fluid"),
        ("Protein in pleural fluid", "pleural fluid"),
        ("LDH ascites", "peritoneal fluid"),
        ("pH of Arterial blood", "arterial blood"),
        ("Glucose [Mass/volume] in Capillary blood by Glucometer", "capillary blood"),
        ("pH cord blood", "cord blood"),
        ("Glycine [Moles/volume] in Dried blood spot", "dried blood spot"),
        ("Creatinine 24 h", "urine"),
        ("Albumin urine/serum ratio", "urine"),
        ("Creatinine [Mass/volume] in Serum or Plasma", "serum or plasma"),
        ("Potassium", None),
        ("Turine", None),
        ("", None),
    ],
)
def test_a_text_names_its_specimen_another_before_blood(text: str, name: str | None) -> None:
    known = specimen_in(text)
    assert (known.name if known else None) == name


@pytest.mark.parametrize(
    "name", ["blood", "serum", "plasma", "serum or plasma", "venous blood", "platelet poor plasma"]
)
def test_whole_blood_serum_plasma_and_venous_blood_are_one_to_a_reader(name: str) -> None:
    known = specimen(name)
    assert known is not None
    assert known.is_blood


@pytest.mark.parametrize(
    "name", ["urine", "csf", "arterial blood", "capillary blood", "cord blood", "dried blood spot"]
)
def test_other_specimens_are_not_blood(name: str) -> None:
    known = specimen(name)
    assert known is not None
    assert not known.is_blood


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Serum creatinine", "creatinine"),
        ("Creatinine in Serum or Plasma", "Creatinine"),
        ("Creatinine  inBlood", "Creatinine"),
        ("Hemoglobin (blood)", "Hemoglobin"),
        ("Urine creatinine", "Urine creatinine"),
    ],
)
def test_words_that_only_say_blood_are_set_aside(text: str, bare: str) -> None:
    assert without_blood(text).strip() == bare
