"""`make eval [EVAL=name] [N=n] [SEED=s]`: measure the answers; print a table and write var/results/<name>.json."""

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import cast

from tests.results import Result, keep

EVALS = (
    *("adversary", "replay", "train_equals_serve", "verifier", "traps", "hallucination", "citations", "sentences"),
    *("answers", "learning", "gates", "ablations", "letters", "knowledge"),
)


def measurement(name: str) -> Callable[[int | None, int], Result]:
    """The `run` of one evaluation; only that one is imported."""
    return cast("Callable[[int | None, int], Result]", import_module(f"tests.evals.{name}").run)


def main() -> None:
    """Run one evaluation, or all."""
    parser = argparse.ArgumentParser(prog="make eval")
    parser.add_argument("name", nargs="?", choices=EVALS)
    parser.add_argument("--n", type=int, default=None, help="how many; each evaluation has a default of its own")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for name in [asked.name] if asked.name else EVALS:
        sized = f" N={asked.n}" if asked.n else ""
        keep(measurement(name)(asked.n, asked.seed), f"make eval EVAL={name}{sized} SEED={asked.seed}")


if __name__ == "__main__":
    main()
