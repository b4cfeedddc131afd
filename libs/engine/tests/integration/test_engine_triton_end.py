"""However its server ends, the process of the model ends too: a process that stays keeps the weights in memory."""

import asyncio
from collections.abc import Callable, Iterable

import numpy as np
import psutil
import pytest
from native_stack import Stack
from servicekit.triton import Tensors, TritonClient

WITHIN_S = 20


def processes(stack: Stack) -> list[psutil.Process]:
    """The server and the model's process: they run in the server's folder."""
    folder = str(stack.layout.data("triton"))
    return [process for process in psutil.process_iter() if _folder(process) == folder]


def _folder(process: psutil.Process) -> str:
    try:
        return str(process.cwd())
    except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def left(running: Iterable[psutil.Process]) -> list[psutil.Process]:
    _, alive = psutil.wait_procs(running, timeout=WITHIN_S)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


async def generate(endpoint: str, tokens: int) -> int:
    inputs: Tensors = {
        "INPUT_IDS": np.array([1, 4093, 198], np.int32),
        "MAX_TOKENS": np.array([tokens], np.int32),
        "TEMPERATURE": np.array([1.0], np.float32),
        "TOP_P": np.array([1.0], np.float32),
        "SEED": np.array([3], np.int64),
        "GRAMMAR": np.array([b""], np.object_),
    }
    async with TritonClient.connect(endpoint) as client:
        answers = client.stream("reasoner", inputs, ["OUTPUT_IDS"], timeout_s=60)
        return sum([len(answer["OUTPUT_IDS"]) async for answer in answers])


async def kill_while_it_generates(stack: Stack, server: psutil.Process) -> None:
    endpoint = stack.endpoints()["LONGITUDE_TRITON"]
    running = [asyncio.create_task(generate(endpoint, 1500)) for _ in range(4)]
    await asyncio.sleep(2)
    server.kill()
    for outcome in await asyncio.gather(*running, return_exceptions=True):
        assert isinstance(outcome, Exception)


@pytest.fixture
def stack(folder: object, new_stack: Callable[..., Stack]) -> Stack:
    return new_stack(("triton",), ("reasoner",))


def test_a_stopped_server_takes_the_model_with_it(stack: Stack) -> None:
    assert asyncio.run(generate(stack.endpoints()["LONGITUDE_TRITON"], 4)) == 4
    running = processes(stack)
    assert len(running) >= 2
    stack.down()
    assert left(running) == []


def test_a_server_killed_while_it_generates_takes_the_model_with_it(stack: Stack) -> None:
    running = processes(stack)
    (server,) = [process for process in running if process.name() == "tritonserver"]
    asyncio.run(kill_while_it_generates(stack, server))
    stub = [process for process in running if process != server]
    assert stub
    assert left(stub) == []
