"""`make bench [BENCH=name]`: measure, beside peers in one run; print a table and write var/results/<name>.json."""

import argparse
from collections.abc import Callable
from functools import partial

from tests.benchmarks import (
    answers,
    assessment,
    cards,
    concerns,
    context,
    find,
    identity,
    mllp,
    read,
    reasoner,
    record,
    rollouts,
    start,
    timeline,
    training,
    visible,
)
from tests.benchmarks.stacks import fresh
from tests.results import Result, keep

BENCHES: dict[str, Callable[[], Result]] = {
    "concerns": partial(concerns.run, fresh),
    "read": read.run,
    "mllp": partial(mllp.run, fresh),
    "visible": partial(visible.run, fresh),
    "record": partial(record.run, fresh),
    "timeline": partial(timeline.run, fresh),
    "context": partial(context.run, fresh),
    "find": partial(find.run, fresh),
    "identity": identity.run,
    "reasoner": partial(reasoner.run, fresh),
    "answers": answers.run,
    "assessment": partial(assessment.run, fresh),
    "cards": partial(cards.run, fresh),
    "training": training.run,
    "rollouts": rollouts.run,
    "start": start.run,
}


def main() -> None:
    """Run one bench, or all."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("name", nargs="?", choices=list(BENCHES))
    chosen = parser.parse_args().name
    for name in [chosen] if chosen else BENCHES:
        keep(BENCHES[name](), f"make bench BENCH={name}")


if __name__ == "__main__":
    main()
