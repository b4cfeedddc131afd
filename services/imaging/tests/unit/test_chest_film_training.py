"""The parts of training that decide what the model card may claim."""

import numpy as np
import pytest
import torch
from imaging.modalities.chest_film.training.augment import augment, present
from imaging.modalities.chest_film.training.corpora import (
    ADULTS,
    CHILDREN,
    FOLDS,
    UNKNOWN,
    Sample,
    draw_phantoms,
    fold_of,
)
from imaging.modalities.chest_film.training.figures import (
    area_under_curve,
    bootstrap_interval,
    calibration_error,
    fit_calibration,
    rates,
    threshold_for_specificity,
)
from imaging.modalities.chest_film.training.phantom import draw_phantom
from imaging.modalities.chest_film.training.train import Table


def sample(source: str, patient: str, fold: int) -> Sample:
    film = np.zeros((1, 96, 96), np.float32)
    return Sample(film, source, patient, fold, 0, UNKNOWN, np.zeros((1, 96, 96), bool))


def test_no_patient_is_in_two_parts_of_a_split() -> None:
    patients = [f"nih-{i // 2}" for i in range(200)]
    table = Table.of([sample(ADULTS, patient, fold_of(patient)) for patient in patients])
    for fold in range(FOLDS):
        parts = [{p for p, chosen in zip(patients, part, strict=True) if chosen} for part in table.split(fold)]
        assert sum(len(part) for part in parts) == len(set(patients))
        assert all(parts)


def test_every_adult_is_tested_in_exactly_one_fold() -> None:
    table = Table.of([sample(ADULTS, f"nih-{i}", fold_of(f"nih-{i}")) for i in range(100)])
    tested = np.stack([table.split(fold)[2] for fold in range(FOLDS)])
    assert (tested.sum(axis=0) == 1).all()


def test_the_published_split_of_the_children_never_moves() -> None:
    table = Table.of([sample(CHILDREN, str(i), i) for i in range(3)])
    for fold in range(FOLDS):
        train, validation, test = table.split(fold)
        assert (train.tolist(), validation.tolist(), test.tolist()) == (
            [False, False, True],
            [False, True, False],
            [True, False, False],
        )


def test_area_under_curve_counts_ties_as_half() -> None:
    assert area_under_curve(np.array([1.0, 1.0, 2.0, 0.0]), np.array([1, 0, 1, 0])) == pytest.approx(7 / 8)


def test_area_under_curve_of_one_class_is_no_number() -> None:
    assert np.isnan(area_under_curve(np.array([1.0, 2.0]), np.array([1, 1])))


def test_the_interval_draws_patients_and_not_films() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(random.integers(0, 2, 30), 10)
    scores = np.asarray(labels + np.repeat(random.normal(0, 1, 30), 10), dtype=np.float64)
    by_patient = bootstrap_interval(scores, labels, [str(i // 10) for i in range(300)], draws=300)
    by_film = bootstrap_interval(scores, labels, [str(i) for i in range(300)], draws=300)
    assert by_patient[1] - by_patient[0] > 1.5 * (by_film[1] - by_film[0])


def test_calibration_recovers_a_known_distortion() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, 20_000)
    labels = (random.random(20_000) < 1 / (1 + np.exp(-logits))).astype(np.int64)
    calibration = fit_calibration(3 * logits + 1, labels, np.ones(20_000))
    assert calibration.slope == pytest.approx(1 / 3, abs=0.02)
    assert calibration.offset == pytest.approx(-1 / 3, abs=0.05)
    assert calibration_error(calibration(3 * logits + 1), labels) < 0.02


def test_the_threshold_keeps_its_specificity_on_the_films_it_was_chosen_on() -> None:
    random = np.random.default_rng(2)
    probabilities, labels = random.random(200), random.integers(0, 2, 200)
    threshold = threshold_for_specificity(probabilities, labels, 0.9)
    assert rates(probabilities, labels, threshold)[1] >= 0.9


def test_a_phantom_is_the_same_for_the_same_seed_and_marks_its_opacities() -> None:
    one, two = draw_phantom(11, opacity=True), draw_phantom(11, opacity=True)
    assert np.array_equal(one.film, two.film)
    assert one.boxes
    assert all(0 <= v <= 1 for box in one.boxes for v in box)
    assert not draw_phantom(11, opacity=False).boxes


def test_half_of_the_phantoms_have_an_opacity_with_a_place() -> None:
    phantoms = draw_phantoms(6, first_seed=50)
    assert [p.opacity for p in phantoms] == [0, 1, 0, 1, 0, 1]
    assert [bool(p.where.any()) for p in phantoms] == [False, True, False, True, False, True]


def test_a_place_moves_with_its_film() -> None:
    places = torch.zeros(8, 1, 96, 96)
    places[:, :, 30:50, 20:40] = 1.0
    films, moved = augment(places.clone(), places, torch.Generator().manual_seed(0))
    inside = films[moved > 0.99].mean()
    outside = films[moved < 0.01].mean()
    assert films.shape == moved.shape == (8, 1, 96, 96)
    assert inside > 0.6
    assert outside < 0.3


def test_turned_films_are_labelled_with_their_turn() -> None:
    film = torch.rand(1, 1, 8, 8).expand(400, 1, 8, 8)
    shown, kinds = present(film, torch.Generator().manual_seed(0))
    for turned, kind in zip(shown, kinds.tolist(), strict=True):
        expected = 1.0 - film[0] if kind == 4 else torch.rot90(film[0], kind, dims=(1, 2))
        torch.testing.assert_close(turned, expected)
    assert {0, 1, 2, 3, 4} == set(kinds.tolist())
