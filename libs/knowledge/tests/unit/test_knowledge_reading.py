"""A file that breaks the schema is refused with its name and line."""

from datetime import date

import pytest
from knowledge import RowError, families, reading, shipped
from knowledge.library import overlaid

GOOD = """[[row]]
id = "warfarin-nsaid"
version = 1
drugs = "warfarin"
beside = "nsaid"
urgency = "important"
words = "An NSAID raises the risk of bleeding on warfarin."
source = "coumadin"
section = "section 7"
speaks = {drugs = ["warfarin", "naproxen"]}
silent = {drugs = ["warfarin"]}
"""
CONDITIONS = families.known()["interactions"].conditions


def read(text: str) -> list[str]:
    rows = (
        reading.row_of(entry, "interactions", CONDITIONS, shipped().documents)
        for _, entry in reading.entries("hospital.toml", text, "row")
    )
    return [row.name for row in rows]


def test_a_good_row_is_read() -> None:
    assert read(GOOD) == ["interactions/warfarin-nsaid@1"]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('drugs = "warfarin"', 'drugs = "warfarine"', 4, "warfarine"),
        ('beside = "nsaid"', 'bside = "nsaid"', 5, "no such column"),
        ('beside = "nsaid"\n', "", 1, "“beside” is missing"),
        ("version = 1", "version = 0", 3, "at least 1"),
        ("version = 1", "version = true", 3, "whole number"),
        ('"important"', '"soon"', 6, "must be one of"),
        ('"coumadin"', '"memory"', 8, "key of no source"),
        ("on warfarin.", "on warfarin", 7, "full stop"),
        ('section = "section 7"', 'section = ""', 9, "must be a text"),
        ('["warfarin"]}', '["warfarin"], age = "old"}', 11, "this is no patient"),
        ('["warfarin"]}', '["warfarin"], wight = 3}', 11, "has no “wight”"),
        ('{drugs = ["warfarin"]}', "[]", 11, "must be a patient"),
        ('id = "warfarin-nsaid"', 'id = "Warfarin"', 2, "a-z"),
        ('section = "section 7"', 'section = "section 7"\nfrom = "2026"', 10, "must be a day"),
        ("version = 1", "version = ", 3, "no TOML"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(old: str, new: str, line: int, words: str) -> None:
    with pytest.raises(RowError, match=rf"^hospital\.toml:{line}: .*{words}"):
        read(GOOD.replace(old, new))


def test_a_row_after_another_has_its_own_lines() -> None:
    with pytest.raises(RowError, match=r"^hospital\.toml:17: urgency"):
        read(GOOD + GOOD.replace("nsaid", "aspirin").replace('"important"', '"soon"'))


@pytest.mark.parametrize("text", ["rows = 1", "[row]\nid = 1", "row = [{id = 1}]"])
def test_what_is_no_array_of_rows_is_refused(text: str) -> None:
    with pytest.raises(RowError, match=r"^hospital\.toml:1: "):
        read(text)


OVERLAY = """[[source]]
key = "our-pharmacy"
title = "Pharmacy committee, decision on oral anticoagulants"
year = 2026
kind = "guideline"

[[row]]
family = "interactions"
id = "warfarin-nsaid"
version = 2
drugs = "warfarin"
beside = ["nsaid", "!celecoxib"]
urgency = "urgent"
words = "An NSAID with warfarin needs a call to the pharmacy."
source = "our-pharmacy"
section = "decision 7"
speaks = {drugs = ["warfarin", "naproxen"]}
silent = {drugs = ["warfarin", "celecoxib"]}

[[silence]]
family = "interactions"
id = "warfarin-antibacterial"
reason = "INR is measured with every antibiotic here"
person = "Dr A. Example"
until = 2027-06-30
"""


def test_an_overlay_adds_a_source_puts_a_row_in_the_place_of_an_older_and_silences_one() -> None:
    knowledge = overlaid(shipped(), "hospital.toml", OVERLAY)
    assert len(knowledge) == len(shipped())
    valid = {row.name for row in knowledge.valid(date(2027, 6, 30))}
    assert "interactions/warfarin-nsaid@2" in valid
    assert "interactions/warfarin-nsaid@1" not in valid
    assert "interactions/warfarin-antibacterial@1" not in valid
    assert "interactions/warfarin-antibacterial@1" in {row.name for row in knowledge.valid(date(2027, 7, 1))}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("version = 2", "version = 1", 10, "say a higher one"),
        ('family = "interactions"\nid = "warfarin-nsaid"', 'id = "warfarin-nsaid"', 7, "“family” is missing"),
        ('person = "Dr A. Example"\n', "", 20, "“person” is missing"),
        ("until = 2027-06-30\n", "", 20, "“until” is missing"),
        ('id = "warfarin-antibacterial"', 'id = "warfarin-anti"', 22, "there is no row"),
        ('key = "our-pharmacy"', 'key = "coumadin"', 2, "is a source already"),
    ],
)
def test_what_is_wrong_in_an_overlay_is_named(old: str, new: str, line: int, words: str) -> None:
    with pytest.raises(RowError, match=rf"^hospital\.toml:{line}: .*{words}"):
        overlaid(shipped(), "hospital.toml", OVERLAY.replace(old, new))
