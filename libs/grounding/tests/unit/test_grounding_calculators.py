"""Values computed from facts: in their unit or not at all, and recomputed by the verifier like recorded ones."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from grounding import Sources, Verdict, Verifier, render
from grounding.calculators import CALCULATORS, compute, dose_limit
from grounding.dosing import DOSING, Advice, dosing_of, limit_at
from grounding.formula import CalculationError
from grounding.kinds import calculation, medication
from longitude.record.v1.fact_pb2 import ClinicalFact
from practice.records import RecordBuilder
from terminology import drugs

DAY = "2026-10-05"
RESULTS = {
    "creatinine": ("2160-0", "1.95", "mg/dL"),
    "weight": ("29463-7", "62", "kg"),
    "height": ("8302-2", "168", "cm"),
    "ratio": ("9318-7", "120", "mg/g{creat}"),
    "sodium": ("2951-2", "138", "mmol/L"),
    "chloride": ("2075-0", "101", "meq/L"),
    "bicarbonate": ("2028-9", "19", "mmol/L"),
    "calcium": ("17861-6", "2.1", "mmol/L"),
    "albumin": ("1751-7", "28", "g/L"),
    "cholesterol": ("2093-3", "5.43", "mmol/L"),
    "hdl": ("2085-9", "45", "mg/dL"),
    "triglycerides": ("2571-8", "150", "mg/dL"),
}
NEEDS = {
    "egfr-ckd-epi-2021": ("creatinine",),
    "kdigo-g-stage": ("creatinine",),
    "kdigo-a-stage": ("ratio",),
    "kdigo-aki-stage": ("creatinine",),
    "creatinine-clearance": ("creatinine", "weight"),
    "body-mass-index": ("weight", "height"),
    "corrected-calcium": ("calcium", "albumin"),
    "anion-gap": ("sodium", "chloride", "bicarbonate"),
    "ldl-friedewald": ("cholesterol", "hdl", "triglycerides"),
}


class Person:
    """Somebody with one result of each kind, and a creatinine two days before."""

    def __init__(self) -> None:
        self.record = RecordBuilder()
        self.base = [*self.record.born("19570418"), self.record.creatinine("1.2", "2026-10-03")]
        self.ids = {name: self.result(name) for name in RESULTS}

    def result(self, name: str, unit: str = "", day: str = DAY) -> str:
        code, value, usual = RESULTS[name]
        return self.record.result(code, name, value, unit or usual, day)

    @property
    def sources(self) -> Sources:
        return Sources.of(datetime(2026, 11, 1, tzinfo=UTC), self.record.facts, identifiers=[self.record.patient])

    def given(self, *more: str) -> list[ClinicalFact]:
        return [self.sources.fact(each) for each in (*self.base, *self.ids.values(), *more)]

    def takes(self, rxcui: str) -> str:
        return self.record.medication(rxcui, _drug(rxcui).name, "2024-01-01", dose="500", frequency="BID")


def _drug(rxcui: str) -> drugs.Ingredient:
    known = drugs.by_rxcui(rxcui)
    assert known is not None
    return known


@pytest.mark.parametrize("name", NEEDS)
def test_a_computed_value_names_its_inputs_and_is_verified_when_it_is_read_back(name: str) -> None:
    person = Person()
    derived = compute(name, person.given())
    assert {person.ids[each] for each in NEEDS[name]} <= set(derived.fact_ids)
    rendered = render(calculation.statement(name, derived.fact_ids), person.sources)
    verified = Verifier(person.sources).verify(rendered.text, rendered.citations)
    assert verified.verdict is Verdict.SUPPORTED, (rendered.text, verified.reason)


@pytest.mark.parametrize("name", NEEDS)
@pytest.mark.parametrize("unit", ["furlong", "mm", "%", "{none}"])
def test_the_newest_input_in_a_wrong_or_unknown_unit_is_an_error_and_no_older_one_is_taken(
    name: str, unit: str
) -> None:
    person = Person()
    wrong = person.result(NEEDS[name][0], unit, "2026-10-09")
    with pytest.raises(CalculationError):
        compute(name, person.given(wrong))


@pytest.mark.parametrize("name", ["corrected-calcium", "anion-gap", "ldl-friedewald"])
def test_results_of_different_days_are_not_combined(name: str) -> None:
    person = Person()
    with pytest.raises(CalculationError):
        compute(name, person.given(person.result(NEEDS[name][0], day="2026-10-09")))


def test_units_are_converted_by_analyte() -> None:
    derived = compute("corrected-calcium", Person().given())
    assert (derived.value, derived.unit) == (Decimal("9.4"), "mg/dL")  # 2.1 mmol/L is 8.4 mg/dL; albumin 28 g/L


@pytest.mark.parametrize(
    ("rxcui", "text"),
    [
        ("6809", "metformin: contraindicated by FDA label."),
        ("7258", "naproxen: not recommended by KDIGO 2012."),
        ("301542", "rosuvastatin: at most 10 mg per day by FDA label."),
        ("25480", "gabapentin: at most 700 mg per day by FDA label."),
        ("593411", "sitagliptin: at most 25 mg per day by FDA label."),
    ],
)
def test_a_dose_limit_is_told_with_its_source_and_verified_for_this_drug_alone(rxcui: str, text: str) -> None:
    person = Person()  # eGFR 27, clearance 27
    taken, other = person.takes(rxcui), person.takes("519")
    limit = compute(dose_limit.NAME, person.given(taken))
    rendered = render(calculation.statement(dose_limit.NAME, limit.fact_ids), person.sources)
    assert rendered.text == f"With the creatinine of {DAY}, {text}"
    verifier = Verifier(person.sources)
    assert verifier.verify(rendered.text, rendered.citations).verdict is Verdict.SUPPORTED
    swapped = rendered.text.replace(_drug(rxcui).name, "allopurinol")
    both = [*rendered.citations, *render(medication.statement(person.sources, other), person.sources).citations]
    assert verifier.verify(swapped, both).verdict is not Verdict.SUPPORTED


@pytest.mark.parametrize(
    "text",
    [
        "Metformin is not contraindicated.",
        "Metformin: at most 1000 mg per day.",
        "Rosuvastatin is contraindicated.",
        "Rosuvastatin: at most 20 mg per day.",
        "Rosuvastatin 10 mg per day.",  # the limit is no dose that is taken
    ],
)
def test_another_limit_is_not_supported(text: str) -> None:
    person = Person()
    person.takes("6809")
    person.takes("301542")
    assert Verifier(person.sources).verify_uncited(text).verdict is not Verdict.SUPPORTED


def test_a_daily_dose_is_the_dose_times_its_frequency() -> None:
    person = Person()
    person.takes("301542")
    verdicts = [
        Verifier(person.sources).verify_uncited(f"Rosuvastatin {dose} mg per day.").verdict for dose in (1000, 500)
    ]
    assert verdicts == [Verdict.SUPPORTED, Verdict.CONTRADICTED]


def test_a_drug_or_a_kidney_function_without_a_published_limit_has_none() -> None:
    person = Person()
    for medications in (
        [person.takes("17767")],
        [person.takes("519")],
        [person.takes("6809"), person.takes("723")],
        [],
    ):
        with pytest.raises(CalculationError):
            compute(dose_limit.NAME, person.given(*medications))


def test_every_calculator_names_its_source_and_is_asked_for_by_a_word_of_its_own() -> None:
    assert set(CALCULATORS) == {*NEEDS, "egfr-slope", "dose-limit"}
    assert len({calculator.purpose for calculator in CALCULATORS.values()}) == len(CALCULATORS)
    assert all(calculator.source and calculator.words and calculator.inputs for calculator in CALCULATORS.values())


def test_limits_only_tighten_as_the_kidney_function_falls() -> None:
    for dosing in DOSING.values():
        assert [each.below for each in dosing.limits] == sorted(each.below for each in dosing.limits)
        doses = [Decimal(-1) if isinstance(each.allowed, Advice) else each.allowed for each in dosing.limits]
        assert doses == sorted(doses)


@pytest.mark.parametrize(("egfr", "allowed"), [(29, Advice.CONTRAINDICATED), (30, 1000), (44, 1000), (45, None)])
def test_the_limit_of_metformin_changes_where_its_sources_say(egfr: int, allowed: object) -> None:
    dosing = dosing_of([_drug("6809")])
    assert dosing is not None
    limit = limit_at(dosing, egfr)
    assert (limit.allowed if limit else None) == allowed
