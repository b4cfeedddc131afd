"""What the rows of areas and of suitability name is known: a name that was mistyped would find nothing, silently."""

import pytest
from terminology import areas, drug_classes, drugs, families, observables
from terminology.areas import Area, LookedAt


def _is_class_or_drug(name: str) -> bool:
    return drug_classes.by_id(name) is not None or drugs.by_name(name) is not None


EVERY = {**areas.known(), **areas.occasions()}


@pytest.mark.parametrize("area", EVERY.values(), ids=EVERY)
def test_an_area_names_known_classes_and_drugs(area: Area) -> None:
    assert [each for each in area.classes if drug_classes.by_id(each) is None] == []
    assert [each for each in area.drugs if drugs.by_name(each) is None] == []


def test_no_occasion_has_the_id_of_an_area() -> None:
    assert areas.known().keys().isdisjoint(areas.occasions())


def test_what_any_drug_may_move_is_of_known_classes() -> None:
    assert [each for each in areas.moved_by_any() if drug_classes.by_id(each) is None] == []
    assert all(areas.moved_by_any().values())


def test_results_that_answer_the_same_are_known_and_stand_for_each_other() -> None:
    creatinine, egfr = (observables.by_id()[each].loinc for each in ("creatinine", "egfr"))
    assert areas.same_answer(creatinine) == areas.same_answer(egfr)
    assert all(observables.by_loinc(each) for each in areas.same_answer(egfr))
    assert areas.same_answer("unknown") == ("unknown",)


@pytest.mark.parametrize("row", areas.suitability().values(), ids=areas.suitability())
def test_what_is_looked_at_before_a_drug_is_given_is_known(row: LookedAt) -> None:
    assert _is_class_or_drug(row.drug)
    assert [each for each in row.problems if each not in families.known()] == []
    assert [each for each in row.beside if not _is_class_or_drug(each)] == []
