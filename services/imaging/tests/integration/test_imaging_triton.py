"""The networks on a real Triton."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from contracts.errors import UnavailableError
from imaging.adapters.triton import Networks
from imaging.domain.page_fields import collected_at, printed_identifiers, read_fields
from imaging.domain.scan import read_scan
from imaging.modalities.chest_film.modality import MODALITY
from imaging.modalities.chest_film.network import ChestFilmNetwork
from imaging.modalities.chest_film.pipeline import network_input
from imaging.modalities.chest_film.read import Outputs
from imaging.modalities.chest_film.training.phantom import draw_phantom
from numpy.typing import NDArray
from safetensors.torch import load_file
from servicekit.triton import TritonClient

PageFile = Callable[..., bytes]
WEIGHTS = Path(__file__).resolve().parents[4] / "deploy/triton/models/chest_film/1/chest_film.safetensors"
ROWS = [
    ("Creatinine", "121", "umol/L", "49 - 90"),
    ("Potassium", "5.0", "mmol/L", "3.5 - 5.1"),
    ("Chloride", "98", "mmol/L", "98 - 107"),
    ("Urea", "9.3", "mmol/L", "2.8 - 8.1"),
    ("Haemoglobin", "121", "g/L", "120 - 155"),
    ("HbA1c", "55", "mmol/mol", "20 - 42"),
]


async def read_film(networks: Networks, film: NDArray[np.float32]) -> Outputs:
    return Outputs.parse(await networks.infer(MODALITY.network, {"FILM": film}))


async def test_triton_answers_what_the_network_computes_here_and_names_the_weights(networks: Networks) -> None:
    film = network_input(draw_phantom(21, opacity=True).film)
    outputs = await read_film(networks, film)
    here = ChestFilmNetwork()
    here.load_state_dict(load_file(WEIGHTS))
    with torch.inference_mode():
        expected = here.eval()(torch.from_numpy(film)[None])
    np.testing.assert_allclose(outputs.maps, expected.maps[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(outputs.projection, expected.projection.softmax(1)[0].numpy(), atol=1e-4)
    assert outputs.model.version.sha256 == hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    assert 0.0 < outputs.probabilities[0] < 1.0


async def test_triton_sees_a_turned_and_an_inverted_film(networks: Networks) -> None:
    film = draw_phantom(22, opacity=False).film
    shown = [film, np.rot90(film, 2).copy(), 1.0 - film]
    answers = [await read_film(networks, network_input(one)) for one in shown]
    seen = [outputs.model.presentations[int(outputs.presentation.argmax())] for outputs in answers]
    assert seen == ["upright", "upside down", "inverted"]


@pytest.mark.parametrize("degrees", [0.0, 0.7])
async def test_a_printed_page_is_read_value_for_value(networks: Networks, lab_page: PageFile, degrees: float) -> None:
    (scan,) = read_scan(lab_page(ROWS, turned_degrees=degrees))
    page, model = await networks.read_page(scan)
    fields = read_fields(page)
    results = [(field.name, field.value, field.unit, field.reference) for field in fields if field.unit]
    assert results == [(name, value, unit, interval) for name, value, unit, interval in ROWS]
    assert printed_identifiers(fields) == {"NW-204417"}
    assert collected_at(fields, UTC) == datetime(2025, 7, 8, 7, 45, tzinfo=UTC)
    assert all(field.confidence > 0.8 for field in fields)
    assert model.version.startswith("rapidocr-")
    assert len(model.sha256) == 64


async def test_an_unreachable_triton_is_something_to_wait_for() -> None:
    async with TritonClient.connect("127.0.0.1:1") as client:
        with pytest.raises(UnavailableError):
            await read_film(Networks(client, []), np.zeros((1, 96, 96), np.float32))
        with pytest.raises(UnavailableError):
            await Networks(client, []).ready()
