"""The supervisor's socket: one JSON line in (`do`, `part`), one JSON line out (`error`, empty when it was done)."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from native_stack.part import PartError

Action = Callable[[str], Awaitable[None]]


class StackError(Exception):
    """What was asked of a stack was not done; the text says why."""


async def serve(path: Path, actions: Mapping[str, Action], parts: frozenset[str]) -> asyncio.Server:
    """Answer on a Unix socket; its folder decides who can open it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = json.loads(await reader.readline())
        error = await _act(actions, parts, request["do"], request["part"])
        writer.write(json.dumps({"error": error}).encode() + b"\n")
        await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(answer, path)


async def _act(actions: Mapping[str, Action], parts: frozenset[str], verb: str, part: str) -> str:
    if part not in parts:
        return f"{part} is no part of this stack; it has {', '.join(sorted(parts))}"
    try:
        await actions[verb](part)
    except PartError as error:
        return str(error)
    return ""


def ask(path: str, verb: str, part: str, timeout_s: float = 400) -> None:
    """Have the supervisor act on one part; returns when that is done, StackError when it is not."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_s)
        connection.connect(path)
        connection.sendall(json.dumps({"do": verb, "part": part}).encode() + b"\n")
        with connection.makefile() as lines:
            reply = lines.readline()
    error = json.loads(reply)["error"] if reply else "the supervisor ended before it answered"
    if error:
        raise StackError(error)
