"""The parts of calibration that decide what the model card may claim."""

import numpy as np
import pytest
from entailment import calibration
from entailment.calibration import ENOUGH, Figures


def test_area_under_the_curve_counts_ties_as_half() -> None:
    assert calibration.auroc(np.array([1.0, 1.0, 2.0, 0.0]), np.array([True, False, True, False])) == pytest.approx(
        7 / 8
    )


def test_area_under_the_curve_of_one_class_is_no_number() -> None:
    assert np.isnan(calibration.auroc(np.array([1.0, 2.0]), np.array([True, True])))


def test_probabilities_sum_to_one_and_keep_the_order_of_the_logits() -> None:
    found = calibration.probabilities(np.array([[2.0, -1.0, 900.0], [0.0, 0.0, 0.0]]), 0.5)
    assert found.sum(axis=1) == pytest.approx([1, 1])
    assert found[0].argmax() == 2


def test_the_temperature_undoes_logits_that_are_three_times_too_sure() -> None:
    chance = np.random.default_rng(0)
    honest = chance.normal(0, 2, size=(4000, 3))
    drawn = calibration.probabilities(honest, 1.0)[:, 0] > chance.random(4000)
    assert calibration.temperature(3 * honest, drawn) == pytest.approx(3, rel=0.15)


def test_no_threshold_is_promised_on_too_few_lies() -> None:
    scores = np.linspace(0, 1, 2 * ENOUGH)
    assert calibration.threshold(scores, np.arange(2 * ENOUGH) >= ENOUGH - 1) is None


def test_no_lie_of_the_calibration_part_lies_above_the_threshold() -> None:
    scores = np.random.default_rng(1).random(1000)
    supported = scores > 0.6
    above = calibration.threshold(scores, supported)
    assert above is not None
    assert not (scores[~supported] > above).any()


def test_a_perfect_judge_has_perfect_figures() -> None:
    supported = np.array([True, False, True, False])
    assert Figures.of(supported.astype(float), supported) == Figures(4, 2, 1.0, 1.0, 1.0, 0.0, 0.0)


def test_the_calibration_error_is_the_distance_of_what_is_stated_from_what_is_right() -> None:
    stated = np.full(10, 0.85)
    assert calibration.calibration_error(stated, np.arange(10) < 6) == pytest.approx(0.25)


def test_the_best_threshold_separates_what_can_be_separated() -> None:
    scores, positive = np.array([0.1, 0.4, 0.6, 0.9]), np.array([False, False, True, True])
    assert calibration.best_threshold(scores, positive) == pytest.approx(0.6)
