"""The short form of each evaluation, run once for all tests that look at it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import pytest

from tests.evals import gates, letters, pieces
from tests.evals.__main__ import measurement
from tests.results import Result

# How many stories, episodes, tokens or questions of each collection.
SIZES = {
    "adversary": 4,
    "replay": 1,
    "train_equals_serve": 8,
    "verifier": 2,
    "traps": 1,
    "hallucination": 1,
    "citations": 1,
    "sentences": 24,
    "answers": 13,
    "learning": 3,
    "gates": 1,
    "ablations": 2,
    "letters": 6,
    "knowledge": 1,
}


@pytest.fixture(scope="session")
def short_form(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Result]]:
    """`short_form(name)` is the result; what a person measured in var/results stays as it is.

    What is measured of a service, is of the system that all tests share.
    """

    @contextmanager
    def shared(parts: Sequence[str], models: Sequence[str]) -> Iterator[dict[str, str]]:
        yield request.getfixturevalue("stack").endpoints

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(letters, "fresh", shared)
        patch.setattr(pieces, "FOLDER", tmp_path_factory.mktemp("results"))
        patch.setattr(gates, "FILED", tmp_path_factory.mktemp("filed") / "gates.json")
        for name in ("SENTENCES", "QUESTIONS", "ADAPTER", "LIVE"):
            patch.delenv(name, raising=False)
        yield cache(lambda name: measurement(name)(SIZES[name], 0))
