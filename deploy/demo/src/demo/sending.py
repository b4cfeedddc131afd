"""Sends the story in the order of its file names: messages over MLLP, the film by C-STORE. Each answer is counted."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from client import dicom, mllp
from client.stack import Stack
from pydicom import dcmread

from demo.stages import Say

# DICOM status "success" (PS3.7 C.1), and the codes of HL7 table 0008 that say that a message was taken.
STORED = "0000"
ACCEPTED = frozenset({"AA", "CA", STORED})

STORY = Path(__file__).resolve().parents[2] / "story"


def story_files() -> Sequence[Path]:
    """Everything that is sent."""
    return sorted(path for path in STORY.iterdir() if path.suffix in {".hl7", ".dcm"})


def film_uid() -> str:
    """SOP Instance UID of the chest film."""
    film = next(path for path in story_files() if path.suffix == ".dcm")
    return str(dcmread(film, stop_before_pixels=True).SOPInstanceUID)


async def send_story(stack: Stack, say: Say) -> Counter[str]:
    """Acknowledgement codes (MSA-1, or the DICOM status) and how often each came."""
    codes: Counter[str] = Counter()
    files = story_files()
    async with mllp.connect(stack.endpoint("mllp")) as sender:
        for number, file in enumerate(files, start=1):
            codes[await _send(file, sender, stack)] += 1
            say(f"{number} of {len(files)}, {_counts(codes)}")
    return codes


async def _send(file: Path, sender: mllp.Sender, stack: Stack) -> str:
    if file.suffix == ".dcm":
        return (await asyncio.to_thread(list, dicom.store([file], stack.endpoint("dicom"))))[0]
    message = await asyncio.to_thread(file.read_bytes)
    async for answer in sender.send([message]):
        return answer.code
    return "unanswered"


def _counts(codes: Counter[str]) -> str:
    return ", ".join("film stored" if code == STORED else f"{n} {code}" for code, n in codes.items())
