"""`longitude send`: HL7 files over MLLP and DICOM files by C-STORE, counted by what answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from client import mllp, stack
from client.cli.page import BAD, GOOD, row, styled, table
from client.cli.session import Json, margin, print_json, run, screen
from client.errors import ClientError
from client.hl7_files import messages_in

HL7_SUFFIXES = frozenset({".hl7", ".er7", ".msg"})
DICOM_SUFFIX = ".dcm"
MAX_COMPLAINTS = 20
MEANING = {
    "AA": "accepted",
    "CA": "accepted",
    "AE": "error",
    "CE": "error",
    "AR": "rejected",
    "CR": "rejected",
    "0000": "image stored",
    "unanswered": "no answer came",
    "unreadable": "the answer is not HL7",
    "not-dicom": "not a DICOM file",
    "refused": "the receiver does not take this kind of image",
}
_TAKEN = mllp.ACCEPTED | {"0000"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One message or image, and what answered."""

    file: Path
    code: str
    control_id: str = ""
    text: str = ""


def send(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders: HL7 v2 (also batches) and DICOM.")],
    *,
    rate: Annotated[float, typer.Option(min=0, help="At most so many messages per second; 0 is no bound.")] = 0.0,
    window: Annotated[int, typer.Option(min=1, help="Messages sent ahead of their answers.")] = 1,
    wait: Annotated[float, typer.Option(min=0.1, help="Longest wait for one answer, in seconds.")] = 30.0,
    json: Json = False,
) -> None:
    """Send messages and images in the order of their names; nothing is retried.

    Exit code 0 only if every one was accepted.
    """
    run(_send(paths, rate, window, wait, as_json=json))


async def _send(paths: Sequence[Path], rate: float, window: int, wait: float, *, as_json: bool) -> bool:
    files = files_of(paths)
    doors = stack.find()
    outcomes: list[Outcome] = []
    with _progress() as progress:
        task = progress.add_task("sending", total=None)
        for is_image, some in groupby(files, key=_is_image):
            batch = list(some)
            sending = _send_images(batch, doors) if is_image else _send_messages(batch, doors, rate, window, wait)
            async for outcome in sending:
                outcomes.append(outcome)
                progress.advance(task)
    counts = dict(sorted(Counter(outcome.code for outcome in outcomes).items()))
    if as_json:
        print_json(counts)
    else:
        _print(counts, outcomes)
    return bool(counts) and counts.keys() <= _TAKEN


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Files as named; of folders, those with the suffix of a message or an image, in the order of their names."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if _is_sendable(file))
        elif path.is_file():
            found.append(path)
        else:
            raise ClientError(f"{path}: no such file or folder")
    if not found:
        raise ClientError("nothing to send: no .hl7, .er7, .msg or .dcm file there")
    return found


def _is_sendable(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in HL7_SUFFIXES | {DICOM_SUFFIX}


def _is_image(file: Path) -> bool:
    return file.suffix.lower() == DICOM_SUFFIX


async def _send_messages(
    files: Sequence[Path], doors: stack.Stack, rate: float, window: int, wait: float
) -> AsyncIterator[Outcome]:
    owners: list[Path] = []
    messages: list[bytes] = []
    for file in files:
        for message in messages_in(file.read_bytes()):
            owners.append(file)
            messages.append(message)
    async with mllp.connect(doors.endpoint("mllp"), window=window, seconds=wait) as sender:
        number = 0
        async for answer in sender.send(messages, rate=rate):
            yield Outcome(owners[number], answer.code, answer.control_id, answer.text)
            number += 1


async def _send_images(files: Sequence[Path], doors: stack.Stack) -> AsyncIterator[Outcome]:
    from client import dicom  # noqa: PLC0415 - two seconds of imports that other commands need not wait for

    statuses: Iterator[str] = dicom.store(files, doors.endpoint("dicom"))
    for file in files:
        status = await asyncio.to_thread(next, statuses, dicom.UNANSWERED)
        yield Outcome(file, status)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = margin()
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _print(counts: dict[str, int], outcomes: Sequence[Outcome]) -> None:
    console = screen()
    answers = table("Answers", "code", ">count", "meaning")
    for code, count in counts.items():
        row(answers, styled(code, GOOD if code in _TAKEN else BAD), str(count), MEANING.get(code, "not stored"))
    console.print(answers)
    refused = [outcome for outcome in outcomes if outcome.code not in _TAKEN]
    if refused:
        why = table("Not accepted", "file", "code", "control id", "reason")
        for outcome in refused[:MAX_COMPLAINTS]:
            row(why, outcome.file.name, outcome.code, outcome.control_id, outcome.text)
        console.print(why)
        if len(refused) > MAX_COMPLAINTS:
            console.print(f"... and {len(refused) - MAX_COMPLAINTS} more")
