"""The network, its pipeline and the committed weights."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from imaging.modalities.chest_film import network, pipeline
from imaging.modalities.chest_film.network import ChestFilmNetwork
from imaging.modalities.chest_film.training.figures import Calibration
from imaging.modalities.chest_film.training.phantom import draw_phantom
from imaging.modalities.chest_film.training.weights import save_network
from safetensors import safe_open
from safetensors.torch import load_file

WEIGHTS = Path(__file__).resolve().parents[4] / "deploy/triton/models/chest_film/1/chest_film.safetensors"


@pytest.fixture(scope="module")
def trained() -> ChestFilmNetwork:
    made = ChestFilmNetwork()
    made.load_state_dict(load_file(WEIGHTS))
    return made.eval()


def test_the_network_can_be_imported_where_only_torch_is() -> None:
    # Triton's image has this package and torch, and neither MONAI nor pydicom nor the contracts.
    absent = {"contracts", "cv2", "longitude", "monai", "pydicom", "servicekit"}
    code = f"import sys, imaging.modalities.chest_film.network; print({absent!r} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_the_pipeline_makes_what_the_network_was_trained_on() -> None:
    assert pipeline.SIDE == network.SIDE


def test_the_pipeline_ignores_scale_and_offset_of_the_grey_values() -> None:
    film = draw_phantom(5, opacity=False).film
    prepared = pipeline.network_input(film)
    assert prepared.shape == (1, network.SIDE, network.SIDE)
    assert prepared.dtype == np.float32
    assert 0.0 <= prepared.min() < prepared.max() <= 1.0
    np.testing.assert_allclose(prepared, pipeline.network_input(film * 3000 + 70), atol=2e-3)


def test_a_findings_logit_is_exactly_the_mean_of_its_map(trained: ChestFilmNetwork) -> None:
    films = torch.rand(3, 1, network.SIDE, network.SIDE)
    with torch.inference_mode():
        reading = trained(films)
    torch.testing.assert_close(reading.maps.mean(dim=(2, 3)), reading.findings)


def test_a_film_is_read_the_same_alone_and_in_a_batch(trained: ChestFilmNetwork) -> None:
    films = torch.rand(4, 1, network.SIDE, network.SIDE)
    with torch.inference_mode():
        together, alone = trained(films).findings, torch.cat([trained(film[None]).findings for film in films])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_the_committed_weights_are_small_and_carry_their_card() -> None:
    assert WEIGHTS.stat().st_size < 4_000_000
    with safe_open(WEIGHTS, framework="pt") as file:
        card = json.loads(file.metadata()["card"])
    assert [finding["name"] for finding in card["findings"]] == list(network.FINDINGS)
    assert card["projections"] == list(network.PROJECTIONS)
    assert card["presentations"] == list(network.PRESENTATIONS)
    assert all(0 < finding["threshold"] < 1 for finding in card["findings"])


def test_the_committed_network_sees_how_a_film_lies(trained: ChestFilmNetwork) -> None:
    film = torch.from_numpy(pipeline.network_input(draw_phantom(7, opacity=False).film))[None]
    shown = [torch.rot90(film, turns, dims=(2, 3)) for turns in range(4)] + [1.0 - film]
    with torch.inference_mode():
        kinds = trained(torch.cat(shown)).presentation.argmax(1)
    assert [network.PRESENTATIONS[kind] for kind in kinds] == list(network.PRESENTATIONS)


def test_saved_weights_load_into_an_equal_network(tmp_path: Path) -> None:
    made = ChestFilmNetwork().eval()
    save_network(made, Calibration(1.5, -0.25), 0.7, tmp_path / "w.safetensors")
    again = ChestFilmNetwork().eval()
    again.load_state_dict(load_file(tmp_path / "w.safetensors"))
    film = torch.rand(1, 1, network.SIDE, network.SIDE)
    with torch.inference_mode():
        torch.testing.assert_close(made(film).findings, again(film).findings)
    with safe_open(tmp_path / "w.safetensors", framework="pt") as file:
        finding = json.loads(file.metadata()["card"])["findings"][0]
    assert (finding["threshold"], finding["calibration"]) == (0.7, {"slope": 1.5, "offset": -0.25})
