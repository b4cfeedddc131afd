"""The reasoner behind Triton's Python backend: decoupled, streaming, many requests in one batch.

`execute` only hands requests to the engine's thread and returns; responses leave from there. A watcher notices clients
that went away. Triton is spoken to (responses, metrics, cancellation) only while a request is in flight: a call into a
server that is stopping never returns, and would keep this process alive for ever. Needs NumPy 1.26: NumPy 2 corrupts
tensors in this backend.
"""

import atexit
import json
import os
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from engine import BusyError, Chunk, Request, Sampling
from engine.drift import Gap
from engine.grammar import GrammarError
from engine.request import RequestRefusedError
from engine.rescoring import Rescoring
from engine.serving import Engine, Running, serve
from engine.versions.repository import served_folder

WATCH_EVERY_S = 0.05
_LISTS = {"OUTPUT_IDS": "output_ids", "LOG_PROBS": "log_probs", "ALLOWED_MASS": "allowed_mass", "FORCED": "forced"}
_SERVED = ("MODEL_SHA256", "MODEL_VERSION")
_TYPES = {"OUTPUT_IDS": np.int32, "LOG_PROBS": np.float32, "ALLOWED_MASS": np.float32, "FORCED": np.bool_}


class _Live:
    """A request in flight, and where its responses go. After the last response nothing reaches Triton any more."""

    def __init__(self, sender: Any) -> None:
        self.running: Running | None = None
        self._sender, self._open, self._lock = sender, True, threading.Lock()

    def send(self, response: Any, *, last: bool) -> None:
        with self._lock:
            self._open = not last
            self._sender.send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL if last else 0)

    def cancel_if_left(self) -> None:
        """Cancels the request when its client went away."""
        with self._lock:
            if self._open and self.running is not None and self._sender.is_cancelled():
                self.running.cancel()


class TritonPythonModel:
    """One version: one network, one engine thread, one watcher."""

    def initialize(self, args: dict[str, str]) -> None:
        setting = {key: held["string_value"] for key, held in json.loads(args["model_config"])["parameters"].items()}
        setting["ENGINE"] = os.environ.get("LONGITUDE_REASONER_ENGINE") or setting["ENGINE"]
        self._version = args["model_version"]
        folder = served_folder(Path(args["model_repository"]) / self._version, _models())
        self._sha256, self._stop_ids = folder.sha256, (folder.config.eos_token_id,)
        served = serve(setting, folder)
        self._engine = served.engine
        self._rescoring = Rescoring(served.score, lambda: not self._engine.active, int(setting["RESCORED_EVERY"]))
        self._live: set[_Live] = set()
        self._metrics = _Metrics({"model": args["model_name"], "version": self._version})
        self._closing = threading.Event()
        threading.Thread(target=self._watch_clients, name="clients", daemon=True).start()
        threading.Thread(target=_end_with, args=(os.getppid(),), name="server", daemon=True).start()
        # Python would destroy the metrics when the server has let go of this process already, and crash.
        atexit.register(os._exit, 0)

    def execute(self, requests: list[Any]) -> None:
        """Hands the requests over; each is answered through its own sender."""
        for request in requests:
            live = _Live(request.get_response_sender())
            try:
                asked = _request(request, self._stop_ids)
                self._live.add(live)
                live.running = self._engine.submit(asked, self._rescoring.watched(asked, partial(self._respond, live)))
            except Exception as error:  # noqa: BLE001 - whatever is wrong, this client is told and the others served
                self._respond(live, error)

    def finalize(self) -> None:
        """Ends what runs; clients are told."""
        self._closing.set()
        self._engine.close()

    def _respond(self, live: _Live, chunk: Chunk | Exception) -> None:
        last = isinstance(chunk, Exception) or chunk.finish_reason is not None
        if last:
            self._live.discard(live)
            self._metrics.update(self._engine, self._rescoring.found)
        live.send(_refusal(chunk) if isinstance(chunk, Exception) else self._response(chunk), last=last)

    def _response(self, chunk: Chunk) -> Any:
        lists = [pb_utils.Tensor(name, np.array(getattr(chunk, held), _TYPES[name])) for name, held in _LISTS.items()]
        last = chunk.finish_reason is not None
        served = {"MODEL_SHA256": self._sha256, "MODEL_VERSION": self._version} if last else dict.fromkeys(_SERVED, "")
        texts = {"FINISH_REASON": str(chunk.finish_reason or ""), **served}
        said = [pb_utils.Tensor(name, np.array([text.encode()], np.object_)) for name, text in texts.items()]
        return pb_utils.InferenceResponse(output_tensors=[*lists, *said])

    def _watch_clients(self) -> None:
        while not self._closing.wait(WATCH_EVERY_S):
            for live in list(self._live):
                live.cancel_if_left()


def _end_with(server: int) -> None:
    """Ends this process when its server is gone; a killed server leaves calls behind that never return."""
    while os.getppid() == server:
        time.sleep(1)
    os._exit(1)


class _Metrics:
    """Families that Triton exports on its metrics port; brought up to date when a request ends."""

    def __init__(self, labels: dict[str, str]) -> None:
        self._lock = threading.Lock()
        kind = pb_utils.MetricFamily
        self._families = [
            pb_utils.MetricFamily(name=f"longitude_reasoner_{name}", description=description, kind=getattr(kind, form))
            for name, description, form in (
                ("tokens_total", "Tokens generated", "COUNTER"),
                ("prompt_tokens_total", "Input tokens, reused ones included", "COUNTER"),
                ("reused_tokens_total", "Input tokens whose keys and values were there already", "COUNTER"),
                ("requests_total", "Requests that reached the network", "COUNTER"),
                ("rescored_tokens_total", "Tokens scored again by the training forward", "COUNTER"),
                ("active", "Requests in the batch", "GAUGE"),
                ("queued", "Requests that wait", "GAUGE"),
                ("log_prob_gap_largest", "Largest gap of a rescored token's log-probability", "GAUGE"),
                ("log_prob_gap_mean", "Mean gap of the rescored tokens' log-probabilities", "GAUGE"),
            )
        ]
        self._metrics = [family.Metric(labels=labels) for family in self._families]
        self._before = [0] * 5

    def update(self, engine: Engine, drift: Gap) -> None:
        with self._lock:
            counts = engine.counts
            totals = [counts.generated, counts.prompt, counts.reused, counts.requests, drift.tokens]
            for metric, now, before in zip(self._metrics, totals, self._before, strict=False):
                metric.increment(now - before)
            self._before = totals
            levels = (engine.active, engine.queued, drift.largest, drift.mean)
            for metric, level in zip(self._metrics[len(totals) :], levels, strict=True):
                metric.set(level)


def _models() -> Path:
    folder = os.environ.get("LONGITUDE_MODELS_DIR")
    if not folder:
        raise pb_utils.TritonModelException("LONGITUDE_MODELS_DIR is not set in Triton's environment")
    return Path(folder)


def _request(request: Any, stop_ids: tuple[int, ...]) -> Request:
    def values(name: str) -> list[Any]:
        tensor = pb_utils.get_input_tensor_by_name(request, name)
        held: list[Any] = [] if tensor is None else tensor.as_numpy().reshape(-1).tolist()
        return held

    sampling = Sampling(values("TEMPERATURE")[0], values("TOP_P")[0], values("SEED")[0])
    return Request(
        input_ids=tuple(values("INPUT_IDS")),
        max_tokens=values("MAX_TOKENS")[0],
        sampling=sampling,
        grammar=values("GRAMMAR")[0].decode(),
        stop_ids=(*stop_ids, *values("STOP_IDS")),
    )


def _refusal(error: Exception) -> Any:
    code = pb_utils.TritonError.INTERNAL
    if isinstance(error, RequestRefusedError | GrammarError | UnicodeDecodeError):
        code = pb_utils.TritonError.INVALID_ARG
    elif isinstance(error, BusyError):
        code = pb_utils.TritonError.UNAVAILABLE
    return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(str(error), code))
