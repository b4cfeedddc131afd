"""Triton's reasoner: token ids in, token ids and log-probabilities out, streamed as they come."""

import math
from collections.abc import Callable

import numpy as np
from contracts.errors import PermanentError, UnavailableError
from harness import Generate, Generated, ModelPin
from harness.protocol import ProtocolError
from servicekit.triton import Tensors, TritonClient

MODEL = "reasoner"
_LISTS = ("OUTPUT_IDS", "LOG_PROBS", "ALLOWED_MASS", "FORCED")
_OUTPUTS = (*_LISTS, "FINISH_REASON", "MODEL_SHA256", "MODEL_VERSION")
_PIN_SECONDS = 10.0

OnTokens = Callable[[int], None]


class ReasonerRefusedError(Exception):
    """The model refused this request (too long, a grammar it cannot compile); the reason is a class."""


class Reasoner:
    """UnavailableError: Triton is unreachable, busy, late, or has not the version any more that the episode began with.

    An episode stays with its version: a newer one that goes live meanwhile is for the next episode.
    """

    def __init__(self, client: TritonClient, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s

    async def ready(self) -> None:
        """Raise UnavailableError unless the model can serve."""
        await self._client.ready(MODEL)

    async def pin(self) -> ModelPin:
        """Which model serves now: asked of the model itself with one token."""
        probe = Generate("", "", (0,), "", 1, 0.0, 1.0, 0, ())
        try:
            await self.ready()
            answer = await self._collect(probe, "", _PIN_SECONDS, lambda _: None)
        except (UnavailableError, PermanentError) as error:
            raise UnavailableError(f"the reasoner cannot be reached on Triton ({error}); ask again") from error
        return ModelPin(MODEL, answer.sha256, answer.version)

    async def generate(self, asked: Generate, pin: ModelPin, on_tokens: OnTokens) -> Generated:
        """One answer of the pinned version; `on_tokens` is told how many tokens came with each piece."""
        try:
            answer = await self._collect(asked, pin.version, self._timeout_s, on_tokens)
        except UnavailableError as error:
            raise UnavailableError(f"the reasoner stopped answering ({error}); ask again") from error
        except PermanentError as error:
            await self._still_served(pin)
            raise ReasonerRefusedError("the model refused the request") from error
        if answer.sha256 != pin.sha256:
            raise UnavailableError("the reasoner was replaced during the episode; ask again")
        return answer.checked(asked.max_tokens)

    async def _still_served(self, pin: ModelPin) -> None:
        """Tells a version that is gone from a request that was refused: Triton answers both alike."""
        try:
            await self._client.ready(MODEL, pin.version)
        except UnavailableError as error:
            raise UnavailableError(
                "the version that the episode began with is not served any more; ask again"
            ) from error

    async def _collect(self, asked: Generate, version: str, timeout_s: float, on_tokens: OnTokens) -> "_Answer":
        answer = _Answer()
        async for piece in self._client.stream(MODEL, _inputs(asked), _OUTPUTS, timeout_s, version):
            on_tokens(answer.add(piece))
        if not answer.finish_reason:
            raise UnavailableError("triton: the stream ended early")
        return answer


class _Answer:
    """Pieces of one answer, put together."""

    def __init__(self) -> None:
        self.finish_reason = ""
        self.sha256 = ""
        self.version = ""
        self._lists: dict[str, list[float]] = {name: [] for name in _LISTS}

    def add(self, piece: Tensors) -> int:
        """How many tokens the piece brought."""
        for name in _LISTS:
            self._lists[name] += piece[name].tolist() if name in piece else []
        self.finish_reason = _text(piece, "FINISH_REASON") or self.finish_reason
        self.sha256 = _text(piece, "MODEL_SHA256") or self.sha256
        self.version = _text(piece, "MODEL_VERSION") or self.version
        return len(piece["OUTPUT_IDS"]) if "OUTPUT_IDS" in piece else 0

    def checked(self, max_tokens: int) -> Generated:
        """UnavailableError where it is no answer to what was asked: nothing of it is used."""
        try:
            generated = self._generated()
        except ProtocolError as error:
            raise UnavailableError("the reasoner's answer is malformed; ask again") from error
        ids, numbers = generated.output_ids, (*generated.log_probs, *generated.allowed_mass)
        if len(ids) > max_tokens or min(ids, default=0) < 0 or not all(map(math.isfinite, numbers)):
            raise UnavailableError("the reasoner's answer is malformed; ask again")
        return generated

    def _generated(self) -> Generated:
        return Generated(
            output_ids=tuple(int(each) for each in self._lists["OUTPUT_IDS"]),
            log_probs=tuple(self._lists["LOG_PROBS"]),
            allowed_mass=tuple(self._lists["ALLOWED_MASS"]),
            forced=tuple(bool(each) for each in self._lists["FORCED"]),
            finish_reason=self.finish_reason,
        )


def _inputs(asked: Generate) -> Tensors:
    inputs: Tensors = {
        "INPUT_IDS": np.array(asked.input_ids, np.int32),
        "MAX_TOKENS": np.array([asked.max_tokens], np.int32),
        "TEMPERATURE": np.array([asked.temperature], np.float32),
        "TOP_P": np.array([asked.top_p], np.float32),
        "SEED": np.array([asked.seed], np.int64),
        "GRAMMAR": np.array([asked.grammar.encode()], np.object_),
    }
    if asked.stop_ids:
        inputs["STOP_IDS"] = np.array(asked.stop_ids, np.int32)
    return inputs


def _text(piece: Tensors, name: str) -> str:
    tensor = piece.get(name)
    if tensor is None or not tensor.size:
        return ""
    held = tensor.reshape(-1)[0]
    return held.decode() if isinstance(held, bytes) else str(held)
