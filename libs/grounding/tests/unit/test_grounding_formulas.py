"""The formulas against values published with them or worked by hand."""

from collections.abc import Callable
from datetime import date

import pytest
from grounding.calculators.albuminuria_category import kdigo_a_stage
from grounding.calculators.anion_gap import anion_gap
from grounding.calculators.body_mass_index import body_mass_index
from grounding.calculators.corrected_calcium import corrected_calcium
from grounding.calculators.creatinine_clearance import creatinine_clearance
from grounding.calculators.egfr import egfr_ckd_epi_2021
from grounding.calculators.egfr_slope import slope_per_year
from grounding.calculators.gfr_category import kdigo_g_stage
from grounding.calculators.kidney_injury import kdigo_aki_stage
from grounding.calculators.ldl_cholesterol import ldl_friedewald
from grounding.formula import CalculationError, Sex, age_in_years
from hypothesis import given
from hypothesis import strategies as st


# Values of the National Kidney Foundation's calculator (CKD-EPI 2021).
@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    [
        (1.0, 50, Sex.MALE, 92),
        (1.0, 50, Sex.FEMALE, 69),
        (0.6, 30, Sex.FEMALE, 124),
        (2.0, 70, Sex.MALE, 35),
        (3.5, 60, Sex.FEMALE, 14),
    ],
)
def test_egfr_gives_the_published_values(creatinine: float, age: int, sex: Sex, expected: int) -> None:
    assert round(egfr_ckd_epi_2021(creatinine, age, sex)) == expected


@given(st.floats(0.3, 12), st.floats(1.01, 3), st.integers(18, 100), st.sampled_from(list(Sex)))
def test_a_higher_creatinine_never_means_a_better_egfr(creatinine: float, factor: float, age: int, sex: Sex) -> None:
    assert egfr_ckd_epi_2021(creatinine * factor, age, sex) < egfr_ckd_epi_2021(creatinine, age, sex)


@pytest.mark.parametrize(("creatinine", "age"), [(0.0, 50), (-1.0, 50), (1.0, 17), (1.0, 121)])
def test_egfr_refuses_what_it_has_no_meaning_for(creatinine: float, age: int) -> None:
    with pytest.raises(CalculationError):
        egfr_ckd_epi_2021(creatinine, age, Sex.MALE)


@pytest.mark.parametrize(
    ("egfr", "stage"),
    [
        (90, "G1"),
        (89, "G2"),
        (60, "G2"),
        (59, "G3a"),
        (45, "G3a"),
        (44, "G3b"),
        (30, "G3b"),
        (29, "G4"),
        (15, "G4"),
        (14, "G5"),
    ],
)
def test_g_stages_change_at_their_limits(egfr: float, stage: str) -> None:
    assert kdigo_g_stage(egfr) == stage


@pytest.mark.parametrize(("acr", "stage"), [(29.9, "A1"), (30, "A2"), (300, "A2"), (300.1, "A3")])
def test_a_stages_change_at_their_limits(acr: float, stage: str) -> None:
    assert kdigo_a_stage(acr) == stage


def test_clearance_is_the_formula_worked_by_hand() -> None:
    assert creatinine_clearance(1.0, 40, 72.0, Sex.MALE) == pytest.approx(100.0)
    assert creatinine_clearance(1.0, 40, 72.0, Sex.FEMALE) == pytest.approx(85.0)


@pytest.mark.parametrize(
    ("baseline", "now", "quick", "stage"),
    [
        (1.0, 1.4, False, 0),
        (1.0, 1.3, True, 1),
        (1.0, 1.5, False, 1),
        (1.0, 2.0, False, 2),
        (1.0, 3.0, False, 3),
        (2.5, 4.0, False, 3),
    ],
)
def test_aki_stages_follow_the_ratio(baseline: float, now: float, quick: bool, stage: int) -> None:  # noqa: FBT001
    assert kdigo_aki_stage(baseline, now, rise_within_48_hours=quick) == stage


def test_slope_of_a_line_is_its_slope() -> None:
    series = [(date(2024, 1, 1), 60.0), (date(2025, 1, 1), 54.0), (date(2026, 1, 1), 48.0)]
    assert slope_per_year(series) == pytest.approx(-6.0, abs=0.02)


def test_a_slope_needs_two_days() -> None:
    with pytest.raises(CalculationError):
        slope_per_year([(date(2024, 1, 1), 60.0), (date(2024, 1, 1), 50.0)])


def test_age_counts_completed_years() -> None:
    assert age_in_years(date(1957, 4, 18), date(2026, 4, 17)) == 68
    assert age_in_years(date(1957, 4, 18), date(2026, 4, 18)) == 69


def test_chemistry_is_the_formulas_worked_by_hand() -> None:
    assert body_mass_index(81.0, 180.0) == pytest.approx(25.0)
    assert corrected_calcium(8.0, 2.5) == pytest.approx(9.2)
    assert anion_gap(140, 100, 24) == pytest.approx(16)
    assert ldl_friedewald(200, 50, 150) == pytest.approx(120)


@pytest.mark.parametrize(
    "implausible",
    [
        lambda: body_mass_index(81.0, 1.8),
        lambda: body_mass_index(0, 180.0),
        lambda: corrected_calcium(8.0, 25),
        lambda: anion_gap(140, 100, 0),
        lambda: ldl_friedewald(200, 50, 400),
        lambda: ldl_friedewald(60, 50, 100),
    ],
)
def test_chemistry_refuses_what_it_has_no_meaning_for(implausible: Callable[[], float]) -> None:
    with pytest.raises(CalculationError):
        implausible()
