"""Ways to say none, unknown, ruled out: each is told as what it is."""

import pytest
from terminology import absence, tables
from terminology.absence import Meaning
from terminology.concepts import SNOMED, concept


@pytest.mark.parametrize(
    ("text", "meaning", "about", "code"),
    [
        ("NKDA", Meaning.NONE, "drug-allergy", "409137002"),
        ("No known allergies.", Meaning.NONE, "allergy", "716186003"),
        ("keine bekannten Allergien", Meaning.NONE, "allergy", "716186003"),
        ("not on any medication", Meaning.NONE, "medication", "no-known-medications"),
        ("None", Meaning.NONE, "any", ""),
        ("unknown", Meaning.UNKNOWN, "any", ""),
        ("Allergies unknown", Meaning.UNKNOWN, "allergy", "no-allergy-info"),
    ],
)
def test_a_whole_text_states_an_absence(text: str, meaning: Meaning, about: str, code: str) -> None:
    stated = absence.whole(text)
    assert stated is not None
    assert (stated.meaning, stated.about, stated.concept.code if stated.concept else "") == (meaning, about, code)


@pytest.mark.parametrize("text", ["", "penicillin", "no known allergies except penicillin", "N", "none today but eggs"])
def test_a_text_that_says_more_states_none(text: str) -> None:
    assert absence.whole(text) is None


def test_every_code_leads_to_the_one_that_stands_for_it() -> None:
    for row in tables.read("absence_codes", absence.CODE_COLUMNS):
        assert row["as"] in {other["code"] for other in tables.read("absence_codes", absence.CODE_COLUMNS)}
    known = absence.of(concept(SNOMED, "160244002"))
    assert known is not None
    assert known.concept is not None
    assert known.concept.code == "716186003"


def test_words_count_only_without_a_code_of_a_known_system() -> None:
    assert absence.of(concept("", "NKA")) is not None
    assert absence.of(concept("", "", "No known allergies")) is not None
    assert absence.of(concept(SNOMED, "91936005", "none")) is None


@pytest.mark.parametrize(
    ("text", "name", "meaning"),
    [
        ("denies chest pain", "chest pain", Meaning.NONE),
        ("denies fever, cough or chest pain", "chest pain", Meaning.NONE),
        ("no evidence of PE", "PE", Meaning.NONE),
        ("HIV negative", "HIV", Meaning.NONE),
        ("denies history of MI", "MI", Meaning.NONE),
        ("h/o MI", "MI", Meaning.PAST),
        ("r/o PE", "PE", Meaning.SUSPECTED),
        ("rule out pulmonary embolism", "pulmonary embolism", Meaning.SUSPECTED),
        ("PE was ruled out", "PE", Meaning.RULED_OUT),
        ("PE cannot be ruled out", "PE", Meaning.SUSPECTED),
        ("family history of breast cancer", "breast cancer", Meaning.OTHER_PERSON),
        ("no fever, has chest pain", "chest pain", None),
        ("no fever but chest pain", "chest pain", None),
        ("No DVT. PE present", "PE", None),
        ("no increase in chest pain", "chest pain", None),
        ("chest pain, negative troponin", "chest pain", None),
        ("asthma", "asthma", None),
        ("PE unlikely", "PE", Meaning.SUSPECTED),
        ("PE has not been excluded", "PE", Meaning.SUSPECTED),
        ("no longer has asthma", "asthma", Meaning.PAST),
        ("no new stroke", "stroke", None),
        ("not well controlled diabetes", "diabetes", None),
        ("no treatment for hypertension", "hypertension", None),
        ("no recurrence of breast cancer", "breast cancer", None),
        ("no acute exacerbation of COPD", "COPD", None),
    ],
)
def test_a_cue_beside_a_name_says_what_is_said_of_it(text: str, name: str, meaning: Meaning | None) -> None:
    start = text.index(name)
    assert absence.beside(text, start, start + len(name)) is meaning


def test_every_cue_is_read_as_its_row_says() -> None:
    for row in tables.read("absence", absence.COLUMNS):
        words = row["words"].lower()
        if row["form"] == "before":
            assert absence.beside(f"{words} asthma", len(words) + 1, len(words) + 7) == row["meaning"]
        if row["form"] == "after":
            assert absence.beside(f"asthma {words}", 0, 6) == row["meaning"]
        if row["form"] == "pseudo":
            assert absence.beside(f"{words} asthma", len(words) + 1, len(words) + 7) is None
        if row["form"] == "whole":
            assert absence.whole(words) is not None


def test_cues_are_told_with_their_places_the_nearest_first() -> None:
    text = "possibly no penicillin allergy, was ruled out"
    start = text.index("penicillin")
    told = [(cue.meaning, text[cue.start : cue.end]) for cue in absence.cues(text, start, start + 18)]
    assert told == [(Meaning.NONE, "no"), (Meaning.SUSPECTED, "possibly")]


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Seen today. No known drug allergies.", [("No known drug allergies", "drug-allergy")]),
        ("Allergies: none known", [("Allergies: none known", "allergy")]),
        ("NKDA, no medications", [("NKDA", "drug-allergy"), ("no medications", "medication")]),
        ("Complications: none", []),
        ("No known. Allergies to follow", []),
    ],
)
def test_absences_are_found_within_a_text(text: str, stated: list[tuple[str, str]]) -> None:
    assert [(text[each.start : each.end], each.absence.about) for each in absence.stated(text)] == stated


def test_every_word_for_somebody_else_is_known_in_a_sentence() -> None:
    persons = [row["words"].lower() for row in tables.read("absence", absence.COLUMNS) if row["form"] == "person"]
    assert persons
    assert all(absence.of_another(f"The {words}'s asthma") for words in persons)
    assert not absence.of_another("The patient is allergic to penicillin")


def test_a_code_that_may_mean_anything_states_nothing_beside_words() -> None:
    assert absence.of(concept("", "NONE")) == absence.whole("NONE")
    assert absence.of(concept("", "UNK", "Penicillin")) is None
    assert absence.of(concept("", "NKDA", "drug allergies")) == absence.whole("NKDA")


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("Rule out myocardial infarction", (Meaning.SUSPECTED, "myocardial infarction")),
        ("No evidence of deep-vein thrombosis", (Meaning.NONE, "deep-vein thrombosis")),
        ("Ausschluss Pneumonie", (Meaning.RULED_OUT, "Pneumonie")),
        ("Not allergic to latex", (Meaning.NONE, "latex")),
        ("Diabetes without complications", None),
        ("No increase in size", None),
        ("No", None),
        ("", None),
    ],
)
def test_the_words_that_open_a_text_speak_of_its_rest(text: str, opening: tuple[Meaning, str] | None) -> None:
    assert absence.opening(text) == opening


def test_every_absence_has_the_code_that_stands_for_it() -> None:
    none = absence.concept_of(Meaning.NONE, "drug-allergy")
    assert none is not None
    assert absence.of(none) == absence.whole("NKDA")
    assert absence.concept_of(Meaning.NONE, "weather") is None


def test_a_likelihood_is_never_a_denial_and_what_was_there_before_is_not_denied() -> None:
    meanings = {(row["words"], row["form"]): row["meaning"] for row in tables.read("absence", absence.COLUMNS)}
    likelihoods = {key for key in meanings if {"LIKELY", "UNLIKELY", "DOUBTFUL", "SUSPICION"} & set(key[0].split())}
    assert likelihoods
    assert {meanings[key] for key in likelihoods} == {Meaning.SUSPECTED}
    denials = {words for (words, _), meaning in meanings.items() if meaning in {Meaning.NONE, Meaning.RULED_OUT}}
    assert not {words for words in denials if {"LONGER", "NEW"} & set(words.split())}
