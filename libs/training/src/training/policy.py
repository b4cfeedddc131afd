"""The network in training as an episode's model: the engine's scheduler in this process, and what masks allowed."""

from collections.abc import Callable, Sequence

from engine import Chunk, Request, Sampling
from engine.batch import Scheduler
from engine.folder import ModelFolder
from engine.grammar import Grammars
from engine.llama import Llama, Runner
from engine.waiting import Capacity
from harness import Generate, Generated, ModelPin

from training.samples import Ids

# Requests that share a forward, the cache of each in tokens, and grammars that are kept.
_ACTIVE, _CONTEXT, _GRAMMARS = 8, 2048, 512


class PolicyError(Exception):
    """A request ended without tokens."""


class Policy:
    """`consult.Model` over weights that change; `renewed` says that they did. `name` stands in each episode's pins."""

    def __init__(self, network: Llama, folder: ModelFolder, name: str, active: int = _ACTIVE) -> None:
        config = folder.config
        self.pin = ModelPin(name, folder.sha256)
        self._grammars = Grammars(folder.tokenizer, config.vocab_size, [config.eos_token_id], kept=_GRAMMARS)
        self._runner = Runner(network, 2 * active, _CONTEXT)
        self._capacity = Capacity(active=active, queue=100_000)
        self.renewed()

    def renewed(self) -> None:
        """Forgets keys and values of other weights."""
        self._runner.network.eval()
        self._scheduler = Scheduler(self._runner, self._grammars, self._capacity)

    def generate(self, asked: Sequence[Generate]) -> list[Generated]:
        """Answers in the order of the requests, which share forward passes."""
        return [generated(chunk) for chunk in run(self._scheduler, asked)]

    def allowed(self, grammar: str, action: Ids) -> tuple[Ids, ...]:
        """What the grammar allowed at each token of an action."""
        state, ways = self._grammars.start(grammar), []
        for token in action:
            ways.append(tuple(state.allowed().tolist()))
            state.accept(token)
        return tuple(ways)


def run(scheduler: Scheduler, asked: Sequence[Generate]) -> list[Chunk]:
    """All requests to their end, sharing forward passes; PolicyError where one ends without its tokens."""
    chunks = [Chunk() for _ in asked]
    for request, chunk in zip(asked, chunks, strict=True):
        scheduler.submit(scheduler.prepare(_request(request), _into(chunk)))
    while scheduler.step():
        pass
    return chunks


def _request(asked: Generate) -> Request:
    sampling = Sampling(asked.temperature, asked.top_p, asked.seed)
    return Request(asked.input_ids, asked.max_tokens, sampling, asked.grammar, asked.stop_ids)


def _into(chunk: Chunk) -> Callable[[Chunk | Exception], None]:
    def emit(more: Chunk | Exception) -> None:
        if isinstance(more, Exception):
            raise PolicyError("the engine gave a request up") from more
        chunk.extend(more)

    return emit


def generated(chunk: Chunk) -> Generated:
    if chunk.finish_reason is None:
        raise PolicyError("the engine ended a request without a reason")
    return Generated(
        tuple(chunk.output_ids),
        tuple(chunk.log_probs),
        tuple(chunk.allowed_mass),
        tuple(chunk.forced),
        chunk.finish_reason.value,
    )
