"""Doses of a passage are read with their drug and their day, and held against what the documents at hand say."""

from decimal import Decimal

import pytest
from longitude.record.v1.context_pb2 import Passage, PassageRelease
from memory.domain.doses import Limits, count, doses
from memory.flows.library import shipped


def passage(text: str, title: str = "A title", kind: str = "expert", edition: str = "") -> Passage:
    release = PassageRelease(edition_id=edition) if edition else None
    return Passage(title=title, text=text, source_kind=kind, release=release)


@pytest.mark.parametrize(
    ("text", "drug", "milligrams"),
    [
        ("The metformin dose must be doubled to 4000 mg per day.", "metformin", "4000"),
        ("Metformin 2,000 mg twice daily is right.", "metformin", "4000"),
        ("Metformin 1000 mg every 8 hours.", "metformin", "3000"),
        ("At first 4 g of metformin a day.", "metformin", "4000"),
        ("Metformin is given as 1 to 2 g once or twice a day.", "metformin", "4000"),
        ("Naloxone 400 micrograms, then metformin.", "naloxone", "0.4"),
        ("Amoxicillin 500 mg tid for a week.", "amoxicillin", "1500"),
        ("Give 81 mg aspirin.", "aspirin", "81"),
    ],
)
def test_a_dose_is_read_as_what_is_taken_of_its_drug_in_a_day(text: str, drug: str, milligrams: str) -> None:
    (dose,) = doses(passage(text))
    assert ([each.name for each in dose.drug], dose.amount, dose.unit) == ([drug], Decimal(milligrams), "mg")


@pytest.mark.parametrize(
    "text",
    [
        "With metformin glucose stays below 126 mg/dL.",
        "Under metformin albuminuria of 30 mg/g was found.",
        "Alteplase 0.9 mg/kg is given.",
        "With insulin 15 grams of carbohydrate are taken.",
        "The dose is 4000 mg per day.",
    ],
)
def test_a_concentration_a_dose_by_weight_and_a_dose_of_no_drug_are_no_doses_of_a_day(text: str) -> None:
    assert doses(passage(text)) == []


def test_a_dose_in_a_text_that_names_no_drug_is_of_the_drug_in_the_title() -> None:
    (dose,) = doses(passage("At most 2 g are taken a day.", title="Metformin"))
    assert dose.drug[0].name == "metformin"
    assert doses(passage("At most 2 g are taken a day.", title="Metformin or aspirin")) == []


def test_a_dose_above_the_highest_that_a_source_says_is_flagged_with_both_numbers_and_the_source() -> None:
    (conflict,) = Limits([]).conflicts(passage("Metformin dose must be doubled to 4000 mg per day."), "m@1")
    assert (conflict.drug, conflict.said, conflict.allowed, conflict.unit) == ("metformin", "4000", "2000", "mg/d")
    assert (conflict.source, conflict.condition, conflict.edition_id) == ("KDIGO 2022", "", "m@1")
    assert conflict.words == "Metformin dose must be doubled to 4000 mg per day."


def test_a_dose_that_failing_kidneys_forbid_is_flagged_with_the_condition() -> None:
    (conflict,) = Limits([]).conflicts(passage("Metformin 850 mg is taken twice daily."), "m@1")
    assert (conflict.said, conflict.allowed, conflict.condition) == ("1700", "1000", "eGFR below 45")
    assert Limits([]).conflicts(passage("Metformin 500 mg is taken twice daily."), "m@1") == []


def test_a_dose_above_what_released_labels_say_is_flagged_with_the_words_of_the_label() -> None:
    low = passage("Fesoterodine is started at 2 mg.", kind="drug_label", edition="low@1")
    label = passage("Fesoterodine is limited to 4 mg.", kind="drug_label", edition="label@1")
    opinion = passage("Fesoterodine 100 mg is fine.", kind="expert", edition="opinion@1")
    limits = Limits([low, label, opinion])
    (conflict,) = limits.conflicts(passage("Fesoterodine 8 mg daily is tried."), "new@1")
    assert (conflict.said, conflict.allowed, conflict.source) == ("8", "4", "passage label@1")
    assert conflict.source_words == "Fesoterodine is limited to 4 mg."
    assert limits.conflicts(passage("Fesoterodine 4 mg daily."), "new@1") == []


def test_a_label_is_not_held_against_itself_but_against_the_edition_before_it() -> None:
    old = passage("Fesoterodine is limited to 4 mg.", kind="drug_label", edition="label@1")
    new = passage("Fesoterodine is limited to 8 mg.", kind="drug_label", edition="label@2")
    assert Limits([old, new]).conflicts(new, "label@2")[0].allowed == "4"
    assert Limits([new]).conflicts(new, "label@2") == []


def test_of_a_drug_without_a_limit_at_hand_nothing_is_said() -> None:
    assert Limits([]).conflicts(passage("Prednisone 4000 mg daily."), "p@1") == []


def test_few_passages_that_ship_stand_against_a_limit() -> None:
    library = shipped()
    for each in library:
        each.release.edition_id = each.passage_id
    limits = Limits(library)
    flagged = [one.edition_id for each in library for one in limits.conflicts(each, each.passage_id)]
    assert flagged == ["openem-pneumonia-outpatient"]


def test_doses_are_counted_before_their_drugs_are_read() -> None:
    assert count("1 mg 2 mg, 3 mg/dL and 4 g.") == 3
