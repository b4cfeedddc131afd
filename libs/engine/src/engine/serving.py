"""What a server needs of an engine, whichever it is: torch on a CPU, vLLM on a GPU, behind one contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

from engine.batch import Counts, Limits, Scheduler
from engine.folder import ModelFolder
from engine.grammar import Grammars
from engine.request import Emit, Request
from engine.rescoring import Score


class Running(Protocol):
    """A request that was taken."""

    def cancel(self) -> None:
        """Ends it before its next token."""


class Engine(Protocol):
    """Takes requests from any thread and calls back from its own."""

    @property
    def counts(self) -> Counts: ...

    @property
    def active(self) -> int: ...

    @property
    def queued(self) -> int: ...

    def submit(self, request: Request, emit: Emit) -> Running:
        """Raises RequestRefusedError, GrammarError, BusyError or EngineStoppedError; then `emit` hears the rest."""

    def close(self) -> None:
        """Ends what still runs, each with an error."""


@dataclass(frozen=True)
class Served:
    """An engine that runs, and its plain forward: one sequence, no cache."""

    engine: Engine
    score: Score


def serve(setting: Mapping[str, str], folder: ModelFolder) -> Served:
    """Starts the engine that ENGINE names. The other settings are those of the reasoner's config.pbtxt."""
    if setting["ENGINE"] != "torch":
        raise ValueError(f"ENGINE is {setting['ENGINE']}, not torch")
    return _torch(setting, folder)


def _torch(setting: Mapping[str, str], folder: ModelFolder) -> Served:
    from engine.llama import Precision, Runner, load, training_log_probs  # noqa: PLC0415 - vLLM brings its own network
    from engine.worker import Worker  # noqa: PLC0415

    network = load(folder, threads=int(setting["THREADS"]))
    runner = Runner(network, int(setting["SLOTS"]), int(setting["CONTEXT"]), cast("Precision", setting["PRECISION"]))
    limits = Limits(active=int(setting["ACTIVE"]), queue=int(setting["QUEUE"]))
    worker = Worker(Scheduler(runner, grammars(folder), limits))
    return Served(worker.__enter__(), partial(training_log_probs, network))


def grammars(folder: ModelFolder) -> Grammars:
    return Grammars(folder.tokenizer, folder.config.vocab_size, [folder.config.eos_token_id])
