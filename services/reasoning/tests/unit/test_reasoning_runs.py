"""Runs: bounded, shared by request id, cancelled when nobody listens."""

import asyncio

import pytest
from contracts.errors import BusyError, ConflictError, UnavailableError
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.reasoning.v1.reasoning_service_pb2 import AskResponse, Progress
from reasoning.flows.runs import Report, Runs


class Work:
    """An assessment that is made when it is told to."""

    def __init__(self) -> None:
        self.started = 0
        self.cancelled = False
        self.finish = asyncio.Event()

    async def __call__(self, report: Report) -> Assessment:
        self.started += 1
        report(AskResponse(progress=Progress(role="rules", action="began")))
        try:
            await self.finish.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        report(AskResponse(progress=Progress(role="gate", action="ended")))
        return Assessment(assessment_id="a")


async def listen(runs: Runs, work: Work, name: str = "a", print_: bytes = b"q") -> tuple[list[str], Assessment]:
    async with runs.join(name, print_, work) as run:
        heard = [each.progress.action async for each in run.heard()]
        return heard, await run.result()


async def test_all_who_ask_with_one_id_share_one_run_and_hear_everything() -> None:
    runs, work = Runs(1), Work()
    first = asyncio.create_task(listen(runs, work))
    await asyncio.sleep(0)
    second = asyncio.create_task(listen(runs, work))
    await asyncio.sleep(0.01)
    work.finish.set()
    assert await first == await second == (["began", "ended"], Assessment(assessment_id="a"))
    assert work.started == 1


async def test_more_than_the_bound_is_answered_busy_and_the_place_is_given_back() -> None:
    runs, work = Runs(1), Work()
    first = asyncio.create_task(listen(runs, work))
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await listen(runs, Work(), "b")
    work.finish.set()
    await first
    other = Work()
    other.finish.set()
    assert (await listen(runs, other, "b"))[0] == ["began", "ended"]


async def test_a_run_is_cancelled_when_its_last_listener_goes() -> None:
    runs, work = Runs(1), Work()
    listeners = [asyncio.create_task(listen(runs, work)) for _ in range(2)]
    await asyncio.sleep(0.01)
    listeners[0].cancel()
    await asyncio.sleep(0.01)
    assert not work.cancelled
    listeners[1].cancel()
    await asyncio.sleep(0.01)
    assert work.cancelled


async def test_another_question_under_a_running_id_is_refused() -> None:
    runs, work = Runs(2), Work()
    first = asyncio.create_task(listen(runs, work))
    await asyncio.sleep(0)
    with pytest.raises(ConflictError):
        await listen(runs, work, print_=b"another")
    work.finish.set()
    await first


async def test_an_error_reaches_every_listener() -> None:
    async def fail(_: Report) -> Assessment:
        raise UnavailableError("away")

    runs = Runs(1)
    async with runs.join("a", b"q", fail) as run:
        assert [each async for each in run.heard()] == []
        with pytest.raises(UnavailableError):
            await run.result()
