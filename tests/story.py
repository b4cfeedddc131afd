"""The demo's story for tests: sent as a hospital's feed sends it, under identifiers of its own for each telling.

A feed keeps a message until it is acknowledged: when the connection breaks it connects again and sends the
unacknowledged message once more.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pydicom
from longitude.record.v1.fact_pb2 import PatientKey
from pydicom.uid import UID
from pynetdicom import AE
from testkit.mllp import MllpClient

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "deploy" / "demo" / "story"
FILES = sorted(p for p in FOLDER.iterdir() if p.suffix in {".hl7", ".dcm"})
MESSAGES = [p for p in FILES if p.suffix == ".hl7"]

BetweenFiles = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Telling:
    """The story under its own identifiers: number 0 is the story as it was authored."""

    number: int

    @property
    def northwest(self) -> PatientKey:
        """The identifier that survives the merge."""
        return PatientKey(id=self._rename("NW-204417"), authority="NORTHWEST")

    @property
    def lakeside(self) -> PatientKey:
        """The identifier that is merged."""
        return PatientKey(id=self._rename("88-1306"), authority="LAKESIDE")

    def message(self, path: Path) -> bytes:
        """An HL7 message of this telling."""
        data = path.read_bytes()
        for identifier in ("NW-204417", "88-1306"):
            data = data.replace(identifier.encode(), self._rename(identifier).encode())
        return data

    def film(self, path: Path) -> pydicom.Dataset:
        """The chest film of this telling."""
        film = pydicom.dcmread(path)
        if self.number:
            film.PatientID = self._rename(film.PatientID)
            digest = hashlib.sha256(f"{film.SOPInstanceUID}/{self.number}".encode()).hexdigest()
            film.SOPInstanceUID = UID(f"2.25.{int(digest[:30], 16)}")
            film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID
        return film

    def _rename(self, identifier: str) -> str:
        return identifier if not self.number else f"{identifier}{self.number:02d}"


async def tell(endpoints: dict[str, str], telling: Telling, before: BetweenFiles | None = None) -> list[bytes]:
    """Send everything in order; return the acknowledgement of every HL7 message."""
    acknowledgements = []
    feed = Feed(endpoints["LONGITUDE_MLLP"])
    for number, path in enumerate(FILES):
        if before is not None:
            await before(number)
        if path.suffix == ".dcm":
            await until_stored(endpoints["LONGITUDE_DICOM"], telling.film(path))
        else:
            acknowledgements.append(await feed.send(telling.message(path)))
    await feed.close()
    return acknowledgements


def exchange(endpoints: dict[str, str], message: bytes) -> bytes:
    """One message on a connection of its own, and its acknowledgement."""

    async def run() -> bytes:
        async with MllpClient(endpoints["LONGITUDE_MLLP"]) as client:
            return await client.send(message)

    return asyncio.run(run())


class Feed:
    """One sending application: in order, one message outstanding, sent again until it is acknowledged."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._client: MllpClient | None = None

    async def send(self, message: bytes) -> bytes:
        """The acknowledgement; TimeoutError after two minutes without one."""
        async with asyncio.timeout(120):
            while True:
                try:
                    answer = await self._attempt(message)
                except (OSError, asyncio.IncompleteReadError, TimeoutError):
                    await self.close()
                else:
                    # AE with 207 is "could not be kept now": a feed sends such a message again.
                    if not (b"MSA|AE" in answer and b"|207" in answer):
                        return answer
                await asyncio.sleep(0.2)

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.__aexit__()

    async def _attempt(self, message: bytes) -> bytes:
        if self._client is None:
            self._client = await MllpClient(self._endpoint).__aenter__()
        return await self._client.send(message)


async def until_stored(endpoint: str, film: pydicom.Dataset) -> None:
    """C-STORE until the answer is 0x0000; TimeoutError after two minutes."""
    async with asyncio.timeout(120):
        while await asyncio.to_thread(c_store, endpoint, film) != 0x0000:
            await asyncio.sleep(0.2)


def c_store(endpoint: str, film: pydicom.Dataset) -> int | None:
    """The DICOM status of one C-STORE; None when there was no association or no answer."""
    host, _, port = endpoint.rpartition(":")
    entity = AE("STORY")
    entity.add_requested_context(film.SOPClassUID)
    association = entity.associate(host, int(port))
    if not association.is_established:
        return None
    try:
        return getattr(association.send_c_store(film), "Status", None)
    finally:
        association.release()
