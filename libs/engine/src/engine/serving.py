"""What a server needs of an engine, whichever it is: torch on a CPU, vLLM on a GPU, behind one contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

from engine.batch import Counts, Scheduler
from engine.folder import ModelFolder
from engine.grammar import Grammars
from engine.llama import Llama, Precision, Runner, load, training_log_probs
from engine.request import Emit, Request
from engine.rescoring import Score
from engine.waiting import Capacity
from engine.worker import Scheduling, Worker


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
    if setting["ENGINE"] not in ("torch", "vllm"):
        raise ValueError(f"ENGINE is {setting['ENGINE']}: torch (on a CPU) or vllm (on a GPU)")
    limits = Capacity(active=int(setting["ACTIVE"]), queue=int(setting["QUEUE"]))
    network = load(folder, threads=int(setting["THREADS"]))  # beside vLLM only to score again, on the CPU
    scheduler = (
        _vllm(setting, folder, limits) if setting["ENGINE"] == "vllm" else _torch(setting, folder, network, limits)
    )
    return Served(Worker(scheduler).__enter__(), partial(training_log_probs, network))


def _torch(setting: Mapping[str, str], folder: ModelFolder, network: Llama, limits: Capacity) -> Scheduling:
    precision = cast("Precision", setting["PRECISION"])
    return Scheduler(
        Runner(network, int(setting["SLOTS"]), int(setting["CONTEXT"]), precision), grammars(folder), limits
    )


def _vllm(setting: Mapping[str, str], folder: ModelFolder, limits: Capacity) -> Scheduling:
    from engine.vllm.start import start  # noqa: PLC0415 - imports vLLM, which only a GPU's image has

    return start(setting, folder, grammars(folder), limits)


def grammars(folder: ModelFolder) -> Grammars:
    return Grammars(folder.tokenizer, folder.config.vocab_size, [folder.config.eos_token_id])
