from dataclasses import replace

import numpy as np
import pytest
import torch
from engine.batch import Scheduler
from engine.grammar import GrammarError, Grammars
from engine.llama import Llama, Runner
from engine.request import BusyError, Chunk, FinishReason, Request, RequestRefusedError
from engine.sampling import Sampling
from engine.waiting import Capacity, Prepared

MENU = "root ::= (Token(10) Token(11) Token(12) Token(20)) | (Token(10) Token(11) Token(12) Token(21)) | (Token(13))"
RANDOM = np.random.default_rng(5)


class Collected:
    """What one request received."""

    def __init__(self) -> None:
        self.whole, self.chunks = Chunk(), 0
        self.error: Exception | None = None

    def __call__(self, chunk: Chunk | Exception) -> None:
        if isinstance(chunk, Exception):
            self.error = chunk
        else:
            self.chunks += 1
            self.whole.extend(chunk)


def scheduler(network: Llama, grammars: Grammars, **limits: int) -> Scheduler:
    return Scheduler(Runner(network, 6, 200, "float64"), grammars, Capacity(**{"active": 4, "prefill": 16, **limits}))


def submit(to: Scheduler, request: Request) -> tuple[Collected, Prepared]:
    collected = Collected()
    prepared = to.prepare(request, collected)
    to.submit(prepared)
    return collected, prepared


def run(to: Scheduler, *requests: Request) -> list[Chunk]:
    collected = [submit(to, request)[0] for request in requests]
    while to.step():
        pass
    assert [one.error for one in collected] == [None] * len(requests)
    return [one.whole for one in collected]


def requests(count: int) -> list[Request]:
    """Prompts of many lengths; some share a beginning, some have a grammar."""
    shared = tuple(RANDOM.integers(2, 300, 30).tolist())
    made = []
    for number in range(count):
        ids = shared[: 10 + number] + tuple(RANDOM.integers(2, 300, number * 3 + 1).tolist())
        grammar = MENU if number % 3 == 2 else ""
        made.append(Request(ids, 4 + number, Sampling(0.8, 0.95, number), grammar, stop_ids=(1,)))
    return made


def test_a_request_gets_the_same_tokens_alone_and_in_a_batch(network: Llama, grammars: Grammars) -> None:
    asked = requests(9)
    together = run(scheduler(network, grammars), *asked)
    alone = [run(scheduler(network, grammars), request)[0] for request in asked]
    assert [chunk.output_ids for chunk in together] == [chunk.output_ids for chunk in alone]
    assert [chunk.finish_reason for chunk in together] == [chunk.finish_reason for chunk in alone]


def test_served_log_probabilities_are_those_of_training(network: Llama, grammars: Grammars) -> None:
    asked = requests(9)
    served = run(scheduler(network, grammars), *asked)
    with torch.no_grad():
        trained = [network.log_probs(r.input_ids, chunk.output_ids) for r, chunk in zip(asked, served, strict=True)]
    gaps = [np.abs(t.numpy() - chunk.log_probs).max() for t, chunk in zip(trained, served, strict=True)]
    assert max(gaps) < 1e-9


def test_training_gradients_reach_every_weight(network: Llama) -> None:
    network.log_probs([5, 6, 7], [8, 9]).sum().backward()  # type: ignore[no-untyped-call]
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_a_shared_beginning_is_computed_once_and_changes_nothing(network: Llama, grammars: Grammars) -> None:
    ids = tuple(RANDOM.integers(2, 300, 60).tolist())
    reusing = scheduler(network, grammars)
    first = run(reusing, Request(ids, 5))[0]
    again = run(reusing, Request(ids, 5), Request((*ids, *first.output_ids, 4, 5), 5))
    assert reusing.counts.reused >= 59 + 64
    fresh = [run(scheduler(network, grammars), Request((*ids, *first.output_ids, 4, 5), 5))[0]]
    assert again[0].output_ids == first.output_ids
    assert again[1].output_ids == fresh[0].output_ids
    assert np.allclose(again[1].log_probs, fresh[0].log_probs, atol=1e-9)


def test_tokens_without_a_choice_are_marked_and_cost_no_forward_of_their_own(
    network: Llama, grammars: Grammars
) -> None:
    to = scheduler(network, grammars)
    collected, _ = submit(
        to, Request((5, 6), 9, grammar="root ::= (Token(10) Token(11) Token(12) Token(20)) | Token(13) Token(14)")
    )
    steps = 0
    while to.step():
        steps += 1
    assert collected.whole.forced == [False, *[True] * (len(collected.whole.output_ids) - 1)]
    assert collected.whole.finish_reason is FinishReason.GRAMMAR_END
    assert steps == 2


def test_the_allowed_mass_is_one_without_a_grammar_and_less_with_one(network: Llama, grammars: Grammars) -> None:
    free, bound = run(scheduler(network, grammars), Request((5, 6), 3), Request((5, 6), 9, grammar=MENU))
    assert free.allowed_mass == [1.0] * 3
    assert 0 < bound.allowed_mass[0] < 1
    assert all(np.exp(p) <= mass + 1e-12 for p, mass in zip(bound.log_probs, bound.allowed_mass, strict=True))


def test_max_tokens_end_a_request_even_inside_a_grammar(network: Llama, grammars: Grammars) -> None:
    for grammar in ("", MENU.replace("| (Token(13))", "")):
        chunk = run(scheduler(network, grammars), Request((5, 6), 2, grammar=grammar))[0]
        assert len(chunk.output_ids) == 2
        assert chunk.finish_reason is FinishReason.LENGTH


def test_a_stop_token_ends_a_request_and_is_part_of_it(network: Llama, grammars: Grammars) -> None:
    ids = run(scheduler(network, grammars), Request((5, 6), 6, Sampling(1.0, 1.0, 4)))[0].output_ids
    stopped = run(scheduler(network, grammars), Request((5, 6), 6, Sampling(1.0, 1.0, 4), stop_ids=(ids[2],)))[0]
    assert stopped.output_ids == ids[: ids.index(ids[2]) + 1]
    assert stopped.finish_reason is FinishReason.STOP


def test_a_full_queue_is_busy_and_takes_requests_again_later(network: Llama, grammars: Grammars) -> None:
    to = scheduler(network, grammars, queue=2)
    request = Request((5, 6), 2)
    waiting = [submit(to, request)[0] for _ in range(2)]
    with pytest.raises(BusyError, match="busy"):
        submit(to, request)
    while to.step():
        pass
    assert all(one.whole.finish_reason is FinishReason.LENGTH for one in waiting)
    assert run(to, request)[0].output_ids


def test_a_cancelled_request_ends_and_the_others_do_not_notice(network: Llama, grammars: Grammars) -> None:
    to = scheduler(network, grammars, active=1)
    alone = run(scheduler(network, grammars), Request((7, 8), 4))[0]
    running, first = submit(to, Request((5, 6), 50))
    waiting, second = submit(to, Request((5, 6), 50))
    kept, _ = submit(to, Request((7, 8), 4))
    to.step()
    to.step()
    first.cancel()
    second.cancel()
    while to.step():
        pass
    assert running.whole.finish_reason is FinishReason.CANCELLED
    assert len(running.whole.output_ids) == 2
    assert waiting.whole.finish_reason is FinishReason.CANCELLED
    assert waiting.whole.output_ids == []
    assert kept.whole == alone


def test_tokens_arrive_while_the_request_runs(network: Llama, grammars: Grammars) -> None:
    to = scheduler(network, grammars)
    collected, _ = submit(to, Request((5, 6), 7))
    while to.step():
        pass
    assert collected.chunks == 7


GOOD = Request((5, 6), 4)


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (replace(GOOD, input_ids=()), "empty"),
        (replace(GOOD, input_ids=(5, 320)), "outside 0..319"),
        (replace(GOOD, input_ids=(-1,)), "outside 0..319"),
        (replace(GOOD, max_tokens=0), "at least 1"),
        (replace(GOOD, max_tokens=199), "2 input tokens and MAX_TOKENS 199 do not fit the context of 200 tokens"),
        (replace(GOOD, sampling=Sampling(top_p=2)), "TOP_P"),
    ],
)
def test_a_request_that_can_never_be_served_is_refused_before_it_waits(
    network: Llama, grammars: Grammars, request_: Request, text: str
) -> None:
    to = scheduler(network, grammars)
    with pytest.raises(RequestRefusedError, match=text):
        submit(to, request_)
    assert to.queued == 0


def test_a_grammar_that_is_wrong_is_refused_before_it_waits(network: Llama, grammars: Grammars) -> None:
    with pytest.raises(GrammarError):
        scheduler(network, grammars).prepare(replace(GOOD, grammar="root ::="), Collected())
