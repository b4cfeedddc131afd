"""What is told of a record: of one thing the nearest and most urgent row, by what is taken now, on its days."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest
from grounding import Sources
from knowledge import Knowledge, evaluate, patients, shipped, trying
from knowledge.library import Silence
from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION


def told(fields: Mapping[str, object], knowledge: Knowledge | None = None) -> list[str]:
    known = patients.sources(fields)
    own = knowledge or shipped()
    sources = Sources.of(patients.TODAY, known.recorded, [row.passage for row in own], [], [patients.PATIENT])
    asked = trying.asked(patients.asked(fields))
    return [each.row.name for each in evaluate(own, sources, sources.active(FACT_KIND_MEDICATION), asked)]


def test_of_two_rows_about_one_pair_the_more_urgent_is_told() -> None:
    spoken = told({"drugs": ["sertraline", "linezolid"]})
    assert "interactions/antidepressant-maoi@3" in spoken
    assert "interactions/linezolid-serotonergic@1" not in spoken


def test_of_two_limits_the_stricter_one_that_is_met_is_told() -> None:
    unit = "mL/min/{1.73_m2}"
    for value, row in (("29", "contraindicated"), ("44", "reassess")):
        spoken = told({"drugs": ["metformin"], "results": [["egfr", value, unit, 3]]})
        assert [each for each in spoken if each.startswith("organs/")] == [f"organs/biguanide-{row}@1"]


def test_what_is_asked_about_comes_first() -> None:
    fields = {"drugs": ["warfarin", "clopidogrel"], "asked": ["fluconazole"], "problems": ["peptic-ulcer"]}
    assert told(fields)[0] == "interactions/warfarin-azole@1"


def test_no_row_speaks_of_a_person_of_whom_nothing_is_known() -> None:
    assert told({}) == []


def test_a_row_speaks_within_its_days_only() -> None:
    own = shipped()
    fields: dict[str, object] = {"drugs": ["warfarin", "naproxen"]}
    (row,) = (each for each in own if each.name == "interactions/warfarin-nsaid@1")
    for begins, ends, speaks in (
        (date(2026, 12, 15), date(2026, 12, 15), True),
        (date(2026, 12, 16), None, False),
        (date(2020, 1, 1), date(2026, 12, 14), False),
    ):
        rows = Knowledge({"interactions": (replace(row, begins=begins, ends=ends),)})
        assert bool(told(fields, rows)) is speaks


def test_a_silence_ends_on_its_day() -> None:
    own = shipped()
    fields: dict[str, object] = {"drugs": ["warfarin", "naproxen"]}
    for until, silent in ((date(2026, 12, 15), True), (date(2026, 12, 14), False)):
        silence = Silence("interactions", "warfarin-nsaid", "a study of it", "Dr A. Example", until)
        spoken = told(fields, Knowledge(own.rows, (silence,), own.documents))
        assert ("interactions/warfarin-nsaid@1" not in spoken) is silent


@pytest.mark.parametrize(
    ("route", "speaks"), [("topical", False), ("ophthalmic", False), ("oral", True), ("subcutaneous", True), ("", True)]
)
def test_what_is_given_on_the_skin_or_in_the_eye_meets_nothing(route: str, speaks: bool) -> None:  # noqa: FBT001
    known = patients.sources({"drugs": ["warfarin", "ketoconazole"]})
    for each in known.recorded:
        if each.fact.code.display == "ketoconazole":
            each.fact.dosage.route = route
    rows = Knowledge({"interactions": shipped().rows["interactions"]})
    spoken = evaluate(rows, known, known.active(FACT_KIND_MEDICATION))
    assert bool(spoken) is speaks


def test_a_pregnancy_that_nobody_ended_is_over_after_ten_months() -> None:
    known = patients.sources({"drugs": ["lisinopril"], "problems": ["pregnancy"]})
    rows = Knowledge({"contraindications": shipped().rows["contraindications"]})
    assert evaluate(rows, known, known.active(FACT_KIND_MEDICATION))
    for each in known.recorded:
        if each.fact.code.display == "pregnancy":
            each.fact.valid_from.seconds -= 300 * 86_400
    later = Sources.of(patients.TODAY, known.recorded, [], [], [patients.PATIENT])
    assert evaluate(rows, later, later.active(FACT_KIND_MEDICATION)) == []
