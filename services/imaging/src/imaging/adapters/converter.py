"""Files become pages in a process of its own, which has no secrets, a bounded memory and little time.

What kills it (a file made to exhaust or to crash a parser) is a damaged file, and nothing more.
"""

from __future__ import annotations

import asyncio
import base64
import json
import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from imaging.domain.page import TextPage
from imaging.domain.scan import Scan, UnreadableDocumentError

LARGEST_FILE = 32 * 1024 * 1024
"""Bytes of a PDF, RTF, CDA or HTML file that is read."""
SECONDS = 60.0
MOST_MEMORY = 3 * 512 * 1024 * 1024
"""Bytes of address space; the libraries take a third of it."""
DAMAGED = "the file cannot be read: damaged, or made to exhaust its reader"
TOO_SLOW = "the file takes too long to be read"


async def convert(
    data: bytes, media_type: str, seconds: float = SECONDS, memory: int = MOST_MEMORY
) -> Sequence[TextPage | Scan]:
    """The pages of a file; UnreadableDocumentError with the reason when it has none that can be read."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", __name__, media_type, str(memory), env={"OPENBLAS_NUM_THREADS": "1"},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        answer, _ = await asyncio.wait_for(child.communicate(data), seconds)
    except TimeoutError:
        raise UnreadableDocumentError(TOO_SLOW) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise UnreadableDocumentError(DAMAGED)
    return _from_json(json.loads(answer))


def _from_json(answer: dict[str, Any]) -> list[TextPage | Scan]:
    if "problem" in answer:
        raise UnreadableDocumentError(answer["problem"])
    return [
        TextPage(page["number"], page["content"])
        if "content" in page
        else Scan(**page | {"png": base64.b64decode(page["png"])})
        for page in answer["pages"]
    ]


def _to_json(page: TextPage | Scan) -> dict[str, Any]:
    if isinstance(page, TextPage):
        return {"number": page.number, "content": page.content}
    return asdict(page) | {"png": base64.b64encode(page.png).decode()}


def _main(media_type: str, memory: int) -> None:
    """The child: a file on its input, pages or a problem on its output."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from imaging.domain.formats import read_file  # noqa: PLC0415 - the parsers are loaded within the bounds

    try:
        answer: dict[str, Any] = {"pages": [_to_json(page) for page in read_file(sys.stdin.buffer.read(), media_type)]}
    except UnreadableDocumentError as error:
        answer = {"problem": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
