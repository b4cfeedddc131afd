"""Long measurements in pieces: shared between two processes, each result kept as it comes, progress told.

A piece is a range of numbers (stories, episodes, questions) and gives JSON. Results lie in
`var/results/<name>-<seed>.part` until the measurement is whole: a run that was stopped goes on where it was, if the
commit is the same and the tree clean.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

from tests.results import FOLDER, commit

PROCESSES = 2

Json = dict[str, Any]
Work = Callable[[range], Json]


def measured(name: str, seed: int, whole: range, together: int, work: Work) -> list[Json]:
    """What `work`, a plain function of a module, gives for each piece of at most `together` numbers, in order."""
    pieces = [range(start, min(start + together, whole.stop)) for start in range(whole.start, whole.stop, together)]
    with _kept(FOLDER / f"{name}-{seed}.part") as (known, keep):
        left = [piece for piece in pieces if str(piece) not in known]
        tell = _Progress(name, len(whole), sum(map(len, left)))
        for piece, result in _results(left, work):
            known[str(piece)] = result
            keep(json.dumps({"piece": str(piece), "result": result}))
            tell.done(len(piece))
        return [known[str(piece)] for piece in pieces]


def evenly(count: int, most: int) -> int:
    """How many numbers make a piece: at most `most`, and few enough for every process to have one.

    One for each process is not worth starting them: imports take longer.
    """
    return max(1, min(most, -(-count // PROCESSES) if count > PROCESSES else count))


def _results(pieces: Sequence[range], work: Work) -> Iterator[tuple[range, Json]]:
    """As they are ready. One piece needs no other process."""
    if len(pieces) == 1:
        yield pieces[0], work(pieces[0])
        return
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), initializer=_alone) as pool:
        running = {pool.submit(work, piece): piece for piece in pieces}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            # Whoever stops waits for the pieces that run, not for all that were asked for.
            pool.shutdown(wait=False, cancel_futures=True)


def _alone() -> None:
    """One thread for each process, set before anything imports torch; and no process outlives the one that asked."""
    os.environ["OMP_NUM_THREADS"] = "1"
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _kept(path: Path) -> Iterator[tuple[dict[str, Json], Callable[[str], None]]]:
    """What an earlier run of this commit left, and how to add to it. The file goes when the measurement is whole."""
    head = json.dumps({"commit": commit()})
    lines = path.read_text().splitlines() if path.exists() else []
    goes_on = lines[:1] == [head] and "dirty" not in head
    whole = [line for line in lines[1:] if line.endswith("}")] if goes_on else []
    known = {each["piece"]: each["result"] for each in map(json.loads, whole)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:

        def keep(line: str) -> None:
            file.write(line + "\n")
            file.flush()

        for line in (head, *whole):
            keep(line)
        yield known, keep
    path.unlink()


class _Progress:
    """One line on stderr for each piece."""

    def __init__(self, name: str, whole: int, left: int) -> None:
        self._name, self._whole, self._left, self._began = name, whole, left, time.monotonic()
        self._done = 0

    def done(self, count: int) -> None:
        self._done += count
        spent = time.monotonic() - self._began
        more = spent / self._done * (self._left - self._done)
        known = self._whole - self._left + self._done
        sys.stderr.write(f"{self._name}: {known} of {self._whole}, {spent:.0f} s spent, about {more:.0f} s left\n")
