"""Messages and instances made to exhaust their reader: refused in the protocol's own terms, within bounds of memory."""

import asyncio
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from contracts.topics import MESSAGE_RECEIVED, MESSAGE_REJECTED
from ingestion.adapters.reader import TOO_MUCH, Reader
from ingestion.domain.dicom import (
    CANNOT_UNDERSTAND,
    OUT_OF_RESOURCES,
    TOO_LARGE,
    HeaderBounds,
    UnreadableInstanceError,
    read_instance,
)
from ingestion.domain.reading import Feed, read
from ingestion.domain.refusal import RefusedError
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian
from pynetdicom import AE
from servicekit.bounded import Bounds
from testkit import bombs
from testkit.memory import peak_of
from testkit.mllp import MllpClient

MIB = 1024 * 1024
BOUNDS = Bounds(memory_bytes=256 * MIB, cpu_seconds=10, wall_seconds=100, answer_bytes=64 * MIB)
ARRIVED = datetime(2024, 6, 1, tzinfo=UTC)
# The reader itself, as it lies in memory once loaded.
LOADED = 100
HERE = 64 * 1024


def outcomes(*payloads: bytes) -> list[str]:
    """For each message why it is refused; empty when it is taken."""

    async def one(reader: Reader, payload: bytes) -> str:
        try:
            await reader.read(payload, ARRIVED)
        except RefusedError as error:
            return error.text
        return ""

    async def every() -> list[str]:
        async with Reader.running(Feed(), BOUNDS, 2, HERE) as reader:
            return [await one(reader, payload) for payload in payloads]

    return asyncio.run(every())


NEXT = bombs.oru("a" * HERE + "\\.br\\b", "FT")
GROWS = "the escape sequences of a text become more than one event can carry"
MESSAGES: dict[str, tuple[Callable[[], bytes], str]] = {
    "escapes that become a thousand lines each": (lambda: bombs.escapes(15), GROWS),
    "the same in pieces": (lambda: many_texts(4000), TOO_MUCH),
    "escapes of one character each": (lambda: bombs.escapes(15, "\\F\\"), GROWS),
    "a bomb in a PDF": (lambda: bombs.document(bombs.pdf(1000)), ""),
    "a bomb in a PDF in a CDA": (lambda: bombs.document(bombs.cda(bombs.pdf(1000)), "CDA"), ""),
    "groups of RTF": (lambda: bombs.document(bombs.rtf(8), "RTF"), ""),
    "a text of 2 MB": (lambda: bombs.oru("a word " * 300_000), ""),
}


def many_texts(count: int) -> bytes:
    """Texts that are short enough each and too much together."""
    line = "OBX|{0}|FT|{0}^A^L||" + "\\.br999\\a" * 300 + "||||||F\r"
    return bombs.oru("a") + "".join(line.format(number) for number in range(2, count)).encode()


@pytest.mark.parametrize("name", MESSAGES)
def test_a_long_message_is_read_or_refused_within_its_bound_and_the_next_is_read(name: str) -> None:
    make, reason = MESSAGES[name]
    payload = make()
    assert outcomes(payload, NEXT) == [reason, ""]
    assert peak_of(lambda: outcomes(payload)) < LOADED + 256


def test_a_short_message_of_nothing_but_escapes_takes_little() -> None:
    payload = bombs.oru("\\.br999\\" * (HERE // 8 - 100), "FT")
    assert len(payload) < HERE
    assert outcomes(payload) == [GROWS]
    assert peak_of(lambda: outcomes(payload)) < LOADED + 64


def test_what_a_process_reads_is_what_is_read_here() -> None:
    async def both() -> None:
        async with Reader.running(Feed(), BOUNDS, 2, HERE) as reader:
            there = await reader.read(NEXT, ARRIVED)
        here = read(NEXT, ARRIVED, Feed())
        assert (there.event_id, there.header, there.remarks) == (here.event_id, here.header, here.remarks)
        assert there.content == here.content

    asyncio.run(both())


def refused(data: bytes, bounds: HeaderBounds) -> tuple[int, str]:
    with pytest.raises(UnreadableInstanceError) as raised:
        read_instance(data, Feed(), bounds)
    return raised.value.status, str(raised.value)


@pytest.mark.parametrize("mebibytes", [600, 2000])
def test_a_deflated_instance_is_too_large_before_it_is_in_memory(mebibytes: int) -> None:
    data = bombs.deflated_dicom(mebibytes)
    assert refused(data, HeaderBounds()) == (OUT_OF_RESOURCES, TOO_LARGE)
    assert peak_of(lambda: refused(data, HeaderBounds())) < 64


def test_a_deflated_instance_of_a_common_size_is_read() -> None:
    dataset = bombs.instance()
    dataset.PixelData = bytes(64 * 64)
    event = read_instance(bombs.part10(dataset, DeflatedExplicitVRLittleEndian), Feed())
    assert (event.patient.id, event.body_part) == ("F-1", "CHEST")


def hostile_header(kind: str) -> bytes:
    """Tags before the pixels: more than anybody needs, or one that is endless."""
    dataset = bombs.instance()
    if kind == "tags":
        whole = bombs.part10(dataset, ExplicitVRLittleEndian)
        return whole + b"".join(b"\x51\x00\x01\x00CS\x00\x00" for _ in range(2_000_000))
    dataset.PatientID = "9" * 65_000
    return bombs.part10(dataset, ExplicitVRLittleEndian)


def test_a_header_of_nothing_but_tags_is_not_read_to_its_end() -> None:
    status, reason = refused(hostile_header("tags"), HeaderBounds())
    assert (status, reason) == (OUT_OF_RESOURCES, "the header is longer than this listener reads")


def test_an_identifier_that_is_a_book_is_not_understood() -> None:
    status, reason = refused(hostile_header("book"), HeaderBounds())
    assert (status, reason) == (CANNOT_UNDERSTAND, "PatientID is longer than 1024 characters")


def test_any_header_of_a_film_stays_within_the_bounds() -> None:
    dataset = bombs.instance()
    dataset.PixelData = bytes(64 * 64)
    tight = HeaderBounds(header_bytes=8 * 1024, header_reads=200)
    assert read_instance(bombs.part10(dataset, ExplicitVRLittleEndian), Feed(), tight).modality == "CR"


async def test_a_bomb_over_mllp_is_answered_ae_kept_and_the_next_is_taken(start: Any, watch: Any) -> None:
    async with (
        watch(MESSAGE_REJECTED) as rejected,
        watch(MESSAGE_RECEIVED) as received,
        start() as service,
        MllpClient(service.mllp) as client,
    ):
        answers = [await client.send(payload) for payload in (many_texts(380), bombs.oru("after", mrn="B9"))]
        (refusal,), (taken,) = await rejected.read(1), await received.read(1)
    assert b"MSA|AE" in answers[0]
    assert b"MSA|AA" in answers[1]
    assert refusal.payload.condition_code == "207"
    assert taken.payload.patient.key.id == "B9"


async def test_a_deflated_bomb_over_dicom_is_out_of_resources_and_the_next_is_stored(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = bombs.deflated_dicom(600)
    body = bomb[144 + int.from_bytes(bomb[140:144], "little") :]

    def script(port: int) -> list[int]:
        entity = AE(ae_title="MODALITY")
        entity.add_requested_context(bombs.instance().SOPClassUID, DeflatedExplicitVRLittleEndian)
        association = entity.associate("127.0.0.1", port)
        dataset = bombs.instance()
        dataset.PixelData = bytes(64 * 64)
        sent = dcmread(io.BytesIO(bombs.part10(dataset, DeflatedExplicitVRLittleEndian)))
        with monkeypatch.context() as patched:
            patched.setattr("pynetdicom.association.encode", lambda *_: body)
            first = int(association.send_c_store(sent).Status)
        second = int(association.send_c_store(sent).Status)
        association.release()
        return [first, second]

    async with start() as service:
        assert await asyncio.to_thread(script, service.dicom) == [OUT_OF_RESOURCES, 0x0000]
