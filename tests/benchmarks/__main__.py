"""`make bench [BENCH=name]`: measure, beside peers in one run; print a table and write var/results/<name>.json."""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import assessment, mllp, reasoner, start, visible
from tests.results import Result, keep

BENCHES: dict[str, Callable[[Path], Result]] = {
    "mllp": mllp.run,
    "visible": visible.run,
    "reasoner": reasoner.run,
    "assessment": assessment.run,
    "start": start.run,
}


def main() -> None:
    """Run one bench, or all."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("name", nargs="?", choices=list(BENCHES))
    chosen = parser.parse_args().name
    for name in [chosen] if chosen else BENCHES:
        with tempfile.TemporaryDirectory(prefix="longitude-bench-") as folder:
            keep(BENCHES[name](Path(folder)), f"make bench BENCH={name}")


if __name__ == "__main__":
    main()
