from queue import Queue
from threading import Thread

import pytest
from engine.batch import Scheduler
from engine.grammar import Grammars
from engine.llama import Llama, Runner
from engine.request import BusyError, Chunk, FinishReason, Request
from engine.waiting import Capacity
from engine.worker import EngineStoppedError, Worker


def worker(network: Llama, grammars: Grammars, queue: int = 100) -> Worker:
    return Worker(Scheduler(Runner(network, 4, 200), grammars, Capacity(active=2, queue=queue)))


def last(received: "Queue[Chunk | Exception]") -> Chunk | Exception:
    while True:
        item = received.get(timeout=10)
        if isinstance(item, Exception) or item.finish_reason:
            return item


def test_many_threads_are_all_answered(network: Llama, grammars: Grammars) -> None:
    received: list[Queue[Chunk | Exception]] = [Queue() for _ in range(20)]
    with worker(network, grammars) as engine:
        threads = [Thread(target=engine.submit, args=(Request((5, 6 + n), 5), q.put)) for n, q in enumerate(received)]
        for thread in threads:
            thread.start()
        ends = [last(queue) for queue in received]
        assert all(isinstance(end, Chunk) and end.finish_reason is FinishReason.LENGTH for end in ends)
        assert engine.counts.generated == 100


def test_closing_ends_what_runs_and_what_waits_with_an_error(network: Llama, grammars: Grammars) -> None:
    received: list[Queue[Chunk | Exception]] = [Queue() for _ in range(6)]
    with worker(network, grammars) as engine:
        for queue in received:
            engine.submit(Request((5, 6), 190), queue.put)
        received[0].get(timeout=10)
    assert all(isinstance(last(queue), EngineStoppedError) for queue in received)
    with pytest.raises(EngineStoppedError):
        engine.submit(Request((5, 6), 1), print)


def test_more_than_the_queue_holds_is_busy(network: Llama, grammars: Grammars) -> None:
    engine = worker(network, grammars, queue=3)  # not started: nothing leaves the queue
    for _ in range(5):
        engine.submit(Request((5, 6), 2), print)
    with pytest.raises(BusyError):
        engine.submit(Request((5, 6), 2), print)


def test_a_network_that_breaks_is_told_to_every_caller_and_is_not_used_again(
    network: Llama, grammars: Grammars, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: Queue[Chunk | Exception] = Queue()
    with worker(network, grammars) as engine:
        del network.model.layers  # what a corrupted model does: the forward raises
        engine.submit(Request((5, 6), 5), received.put)
        assert isinstance(last(received), AttributeError)
        with pytest.raises(EngineStoppedError):
            engine.submit(Request((5, 6), 5), received.put)
