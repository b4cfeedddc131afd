"""Allergy statements in letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imaging.domain.letters import HEDGED, SURE, AllergyStatement, find_allergies
from terminology.allergens import allergen_classes, allergens_in, concept_of


def only(text: str) -> AllergyStatement:
    (statement,) = find_allergies(text)
    return statement


def stated(text: str) -> list[tuple[str, bool]]:
    return [(statement.substance.display, statement.present) for statement in find_allergies(text)]


def test_a_reaction_with_its_year_is_an_allergy() -> None:
    statement = only("She had anaphylaxis to penicillin in 2014.")
    assert statement.substance.code == "764146007"
    assert (statement.present, statement.reaction, statement.year) == (True, "anaphylaxis", 2014)
    assert statement.confidence == SURE


@pytest.mark.parametrize(
    "text",
    [
        "Allergic to penicillin.",
        "Penicillin allergy since childhood",
        "Allergies: penicillin",
        "ALLERGIES\nPenicillin\nMEDICATIONS\nmetformin",
        "He developed urticaria after penicillin",
        "Under penicillin she developed hives within an hour",
        "Intolerant to penicillin",
        "No fever, allergic to penicillin",
        "There was no chest pain but an allergy to penicillin is known",
    ],
)
def test_ways_to_say_that_there_is_an_allergy(text: str) -> None:
    assert stated(text) == [("penicillin", True)]


@pytest.mark.parametrize(
    "text",
    [
        "Not allergic to penicillin",
        "No allergy to penicillin",
        "Penicillin allergy was ruled out",
        "Denies penicillin allergy",
        "Denies history of penicillin allergy",
        "Penicillin allergy (hives) in 2014 was ruled out",
        "No known allergies to penicillin",
    ],
)
def test_a_denied_allergy_is_absent(text: str) -> None:
    assert stated(text) == [("penicillin", False)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("No known drug allergies.", "409137002"),
        ("NKDA", "409137002"),
        ("NKA", "716186003"),
        ("No known allergies", "716186003"),
        ("Allergies: none known", "716186003"),
        ("Denies any drug allergies", "409137002"),
        ("No known allergies to medications", "409137002"),
        ("NKFA", "429625007"),
    ],
)
def test_none_known_is_an_absence(text: str, code: str) -> None:
    statement = only(text)
    assert (statement.substance.code, statement.present) == (code, False)


@pytest.mark.parametrize(
    "text",
    [
        "Mother is allergic to penicillin",
        "Family history: penicillin allergy",
        "His brother had anaphylaxis to penicillin",
    ],
)
def test_a_relatives_allergy_is_no_statement_about_the_patient(text: str) -> None:
    assert find_allergies(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Possible penicillin allergy",
        "Penicillin allergy is unconfirmed",
        "May be allergic to penicillin",
        "Rule out penicillin allergy",
        "Penicillin allergy?",
    ],
)
def test_a_hedged_allergy_is_kept_with_low_confidence(text: str) -> None:
    statement = only(text)
    assert (statement.present, statement.confidence) == (True, HEDGED)


@pytest.mark.parametrize(
    "text",
    [
        "Penicillin must not be given again.",
        "No rash after amoxicillin.",
        "Allergic to unobtainium",
        "Latex free gloves were used.",
        "Amoxicillin was stopped and replaced by ciprofloxacin.",
        "Metformin 1000 mg twice daily",
        "",
    ],
)
def test_other_text_says_nothing_about_allergies(text: str) -> None:
    assert find_allergies(text) == []


def test_a_list_names_each_substance_and_each_keeps_its_own_reaction() -> None:
    statements = find_allergies("Allergic to penicillin (hives), peanut and latex.")
    reactions = [(statement.substance.display, statement.reaction) for statement in statements]
    assert sorted(reactions) == [("Latex", ""), ("Peanut", ""), ("penicillin", "hives")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Allergic to Bactrim.", {"sulfamethoxazole", "trimethoprim"}),
        ("Augmentin allergy", {"amoxicillin", "clavulanate"}),
        ("Amoxicillin/clavulanate allergy", {"amoxicillin", "clavulanate"}),
        ("Allergic to hydrocodone-acetaminophen", {"hydrocodone", "acetaminophen"}),
        ("Penicillin, latex and egg allergies", {"penicillin", "Latex", "Egg"}),
        ("Allergies: penicillin; latex; NSAIDs", {"penicillin", "Latex", "NSAID"}),
        ("Allergies: unobtainium, amoxicillin 500 mg, latex", {"amoxicillin", "Latex"}),
        ("Allergies: aspirin (hives), codeine - nausea, latex", {"aspirin", "codeine", "Latex"}),
    ],
)
def test_of_a_combination_and_of_a_list_every_allergen_is_kept(text: str, names: set[str]) -> None:
    assert {(name, True) for name in names} == set(stated(text))


@pytest.mark.parametrize("text", ["No known allergies except penicillin", "Allergies: none known, except penicillin"])
def test_an_exception_to_none_known_is_an_allergy_and_nothing_is_denied(text: str) -> None:
    assert stated(text) == [("penicillin", True)]


def test_a_list_that_says_none_names_no_allergen_after_it() -> None:
    assert stated("Allergies: none known, metformin and aspirin are taken") == [("No known allergy", False)]


def test_every_allergen_of_the_tables_is_read_by_its_name() -> None:
    rows = [allergen for drug_class in allergen_classes() for allergen in allergens_in(drug_class.name)]
    assert rows
    for allergen in rows:
        concept = concept_of(allergen)
        assert concept.code in {each.substance.code for each in find_allergies(f"Allergic to {allergen.name}.")}, (
            allergen
        )


def test_negation_ends_where_the_sentence_turns() -> None:
    assert stated("Not allergic to aspirin but allergic to codeine") == [("aspirin", False), ("codeine", True)]


def test_a_sentence_that_goes_on_in_the_next_line_is_one() -> None:
    text = "After the second tablet on the evening of admission she was found to be allergic to\npenicillin."
    assert stated(text) == [("penicillin", True)]


def test_lines_of_a_list_do_not_run_into_each_other() -> None:
    assert stated("Fever: no\nAllergic to penicillin") == [("penicillin", True)]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Seen today. No allergy to penicillin.", "No allergy to penicillin"),
        ("Penicillin allergy was ruled out in 2019.", "Penicillin allergy was ruled out"),
        ("She had anaphylaxis to penicillin in 2014.", "anaphylaxis to penicillin"),
    ],
)
def test_the_span_quotes_what_the_statement_says(text: str, quoted: str) -> None:
    statement = only(text)
    assert text[statement.start : statement.end] == quoted


@pytest.mark.parametrize(
    "text",
    [
        "Allergies: " + "penicillin, latex; " * 1500,
        "allergic to penicillin " * 1500,
        "no " * 10_000 + "allergy to penicillin",
        "Allergy: latex " * 1500,
        "a" * 60 + "\n" + "b" * 60_000,
    ],
    ids=["list", "repeated", "denials", "sections", "one word"],
)
@pytest.mark.timeout(20)
def test_a_letter_of_any_shape_is_read_in_seconds(text: str) -> None:
    """Work that grows with the square of the length would take minutes here."""
    assert len(find_allergies(text)) <= 2


@given(st.text(alphabet="ab .,;:?\n", max_size=30), st.text(alphabet="ab .,;:?\n", max_size=30))
def test_spans_lie_inside_the_text_whatever_surrounds_them(before: str, after: str) -> None:
    text = f"{before}\nallergic to penicillin\n{after}"
    for statement in find_allergies(text):
        assert 0 <= statement.start < statement.end <= len(text)
        assert "penicillin" in text[statement.start : statement.end]
