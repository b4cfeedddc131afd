"""From a socket to Kafka and back: durability, order, resending, and an answer to everything."""

import asyncio
import base64
import hashlib
from contextlib import AsyncExitStack, suppress
from typing import Any

import eventbus.producer
import pytest
from contracts.topics import DOCUMENT_RECEIVED, MESSAGE_RECEIVED, MESSAGE_REJECTED
from ingestion.domain.acknowledgement import Policy
from testkit import FaultProxy, MllpClient
from testkit.backends import ObjectStorage
from testkit.kafka import kafka_through


def admission(control_id: str, *, mrn: str = "P1", extra: str = "", version: str = "2.5.1", modes: str = "") -> bytes:
    header = (
        f"MSH|^~\\&|ADT|NORTH|LONGITUDE|HERE|20240301120000+0000||ADT^A01^ADT_A01|{control_id}|P|{version}|||{modes}"
    )
    pid = f"PID|1||{mrn}^^^NORTH^MR||Testperson^Ada||19600102|F"
    pv1 = "PV1|1|I|||||||||||||||||V77|||||||||||||||||||||||||20240301113000"
    segments = (header, "EVN|A01|20240301120000", pid, pv1, extra)
    return "".join(f"{segment}\r" for segment in segments if segment).encode()


def fields(acknowledgement: bytes) -> dict[str, list[str]]:
    """Segments of an acknowledgement by name."""
    lines = acknowledgement.decode().rstrip("\r").split("\r")
    return {line[:3]: line.split("|") for line in lines}


async def test_a_message_is_answered_aa_and_its_event_is_on_the_topic(start: Any, watch: Any) -> None:
    async with watch(MESSAGE_RECEIVED) as reader, start() as service, MllpClient(service.mllp) as client:
        message = admission("M1")
        acknowledgement = fields(await client.send(message))
        (record,) = await reader.read(1)
    assert acknowledgement["MSA"][1:3] == ["AA", "M1"]
    assert acknowledgement["MSH"][2:6] == ["LONGITUDE", "HERE", "ADT", "NORTH"]
    assert record.payload.raw.inline == message
    assert record.payload.patient.key.id == "P1"
    assert {fact.source.segment for fact in record.payload.facts} == {"PID[1]", "PV1[1]"}


async def test_no_ack_before_the_message_is_durable(
    start: Any, watch: Any, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventbus.producer, "PUBLISH_TIMEOUT", 3.0)
    async with FaultProxy(kafka) as proxy, watch(MESSAGE_RECEIVED) as reader, AsyncExitStack() as stack:
        stack.enter_context(kafka_through(proxy, kafka))
        async with start() as service, MllpClient(service.mllp) as client:
            assert fields(await client.send(admission("D1")))["MSA"][1] == "AA"
            proxy.stall()
            await client.write(b"\x0b" + admission("D2") + b"\x1c\r")
            early = asyncio.create_task(client.read())
            await asyncio.sleep(1.5)
            assert not early.done(), "an answer left while Kafka had not acknowledged"
            refused = fields(await early)
            proxy.forward()
            resent = fields(await client.send(admission("D2")))
        first, *rest = await reader.read_all()
    assert refused["MSA"][1] == "AE"
    assert refused["ERR"][3].startswith("207^")
    assert "send again" in refused["ERR"][8]
    assert resent["MSA"][1] == "AA"
    assert first.payload.header.control_id == "D1"
    assert {record.payload.header.control_id for record in rest} == {"D2"}
    assert len({record.event_id for record in rest}) == 1


async def test_a_message_sent_again_gets_the_same_ack_and_event_id(start: Any, watch: Any) -> None:
    async with watch(MESSAGE_RECEIVED) as reader, start() as service, MllpClient(service.mllp) as client:
        first, second = await client.send(admission("R1")), await client.send(admission("R1"))
        records = await reader.read(2)
    assert first == second
    assert records[0].event_id == records[1].event_id
    assert [f.fact_id for f in records[0].payload.facts] == [f.fact_id for f in records[1].payload.facts]


async def test_a_control_id_used_for_another_message_is_kept_and_remarked(start: Any, watch: Any) -> None:
    async with watch(MESSAGE_RECEIVED) as reader, start() as service, MllpClient(service.mllp) as client:
        answers = [await client.send(admission("S1", mrn=mrn)) for mrn in ("P1", "P2")]
        records = sorted(await reader.read(2), key=lambda record: record.payload.patient.key.id)
    assert [fields(answer)["MSA"][1] for answer in answers] == ["AA", "AA"]
    assert records[0].event_id != records[1].event_id
    assert not records[0].payload.remarks
    assert any(remark.field == "MSH-10" for remark in records[1].payload.remarks)


async def test_pipelined_messages_are_answered_in_order_and_one_patients_stay_in_order(start: Any, watch: Any) -> None:
    count = 300
    messages = [admission(f"O{n}", mrn=f"Q{n % 3}", extra="NTE|1||" + "x" * (n % 7) * 400) for n in range(count)]
    stream = b"".join(b"\x0b" + message + b"\x1c\r" for message in messages)
    async with watch(MESSAGE_RECEIVED) as reader, start() as service, MllpClient(service.mllp) as client:
        for at in range(0, len(stream), 1237):
            await client.write(stream[at : at + 1237])
        answers = [fields(await client.read())["MSA"][2] for _ in range(count)]
        records = await reader.read(count)
    assert answers == [f"O{n}" for n in range(count)]
    for patient in range(3):
        mine = [r for r in records if r.payload.patient.key.id == f"Q{patient}"]
        numbers = [int(r.payload.header.control_id[1:]) for r in sorted(mine, key=lambda r: r.offset)]
        assert numbers == sorted(numbers)
        assert len({r.partition for r in mine}) == 1


async def test_a_document_is_stored_before_the_ack_and_told_of(start: Any, watch: Any) -> None:
    page = b"%PDF-1.4 " + bytes(range(256)) * 4 + b"%%EOF\n"
    extra = f"OBX|1|ED|11502-2^Report^LN||^application^PDF^Base64^{base64.b64encode(page).decode()}||||||F"
    async with watch(DOCUMENT_RECEIVED) as reader, start() as service, MllpClient(service.mllp) as client:
        acknowledgement = fields(await client.send(admission("E1", extra=extra)))
        (record,) = await reader.read(1)
        stored = await service.store.get(record.payload.content)
    assert acknowledgement["MSA"][1] == "AA"
    assert stored == page
    assert record.payload.content.media_type == "application/pdf"
    assert (record.payload.source.segment, record.payload.source.field) == ("OBX[1]", "OBX-5.5")


async def test_a_large_message_is_kept_as_an_object(start: Any, watch: Any) -> None:
    message = admission("L1", extra="NTE|1||" + "y" * 300_000)
    async with watch(MESSAGE_RECEIVED) as reader, start() as service, MllpClient(service.mllp) as client:
        acknowledgement = fields(await client.send(message))
        (record,) = await reader.read(1)
        stored = await service.store.get(record.payload.raw.object)
    assert acknowledgement["MSA"][1] == "AA"
    assert stored == message
    assert record.payload.raw.object.sha256 == hashlib.sha256(message).hexdigest()


async def test_without_object_storage_small_messages_are_taken_and_documents_are_not(start: Any) -> None:
    extra = f"OBX|1|ED|11502-2^Report^LN||^TEXT^PLAIN^Base64^{base64.b64encode(b'text').decode()}||||||F"
    async with start(endpoint="127.0.0.1:1") as service, MllpClient(service.mllp) as client:
        small = fields(await client.send(admission("W1")))
        document = fields(await client.send(admission("W2", extra=extra)))
    assert small["MSA"][1] == "AA"
    assert document["MSA"][1] == "AE"
    assert document["ERR"][3].startswith("207^")


MSH = b"MSH|^~\\&|A|B|C|D|20240101||"
BAD = [
    (b"\x0b\x1c\r", "AR", "100", "the frame is empty"),
    (b"\x0bMSH|^~\\&|A|B\r", "AR", "207", "no end block"),
    (b"\x0b" + b"z" * (1024 * 1024 + 1) + b"\x1c\r", "AR", "207", "more than this listener takes"),
    (b"\x0bGET / HTTP/1.1\x1c\r", "AR", "100", "does not begin with MSH"),
    (b"no frame at all", "AR", "207", "no start block"),
    (b"\x0b" + MSH + b"ADT^A01|X1|P|2.5.1||||||UNICODE UTF-8\rPID|||\xff\xfe\x1c\r", "AE", "102", "character set"),
    (b"\x0b" + MSH + b"ADT^A01|X2|P|2.5.1||||||KLINGON\rPID|||1\x1c\r", "AR", "103", "table 0211"),
    (b"\x0b" + MSH + b"ADT^A99|X3|P|2.5.1\rPID|||1\x1c\r", "AR", "201", "trigger"),
    (b"\x0b" + MSH + b"MFN^M02|X4|P|2.5.1\r\x1c\r", "AR", "200", "message type"),
    (b"\x0b" + MSH + b"ADT^A01|X5|P|2.5.1\rEVN|A01\r\x1c\r", "AE", "100", "PID"),
    (b"\x0b" + MSH + b"ADT^A01|X6|P|2.5.1\rPID|1||\r\x1c\r", "AE", "101", "PID-3"),
    (
        b"\x0b" + MSH + b"ORU^R01|X7|P|2.5.1\rPID|1||1\rOBX|1|ED|1^x||^application^PDF^Base64^JVBERi0xL\r\x1c\r",
        "AE",
        "102",
        "base64",
    ),
]


@pytest.mark.parametrize(("sent", "code", "condition", "text"), BAD, ids=[text for *_, text in BAD])
async def test_bad_input_is_answered_kept_and_survived(
    start: Any, watch: Any, sent: bytes, code: str, condition: str, text: str
) -> None:
    async with watch(MESSAGE_REJECTED) as reader, start() as service:
        async with MllpClient(service.mllp) as client:
            await client.write(sent)
            acknowledgement = fields(await client.read())
        (record,) = await reader.read(1)
        async with MllpClient(service.mllp) as client:
            assert fields(await client.send(admission("OK")))["MSA"][1] == "AA"
    assert acknowledgement["MSA"][1] == code
    assert acknowledgement["ERR"][3].split("^")[0] == condition
    assert text in acknowledgement["ERR"][8]
    kept = record.payload
    assert (kept.acknowledgement_code, kept.condition_code) == (code, condition)
    assert kept.raw.WhichOneof("where") == "inline"
    assert kept.raw.inline in sent


async def test_after_a_frame_over_the_limit_the_connection_goes_on(start: Any) -> None:
    async with start() as service, MllpClient(service.mllp) as client:
        await client.write(b"\x0bMSH|^~\\&|" + b"z" * (3 * 1024 * 1024) + b"\x1c\r")
        refused = fields(await client.read())
        taken = fields(await client.send(admission("N1")))
    assert refused["MSA"][1] == "AR"
    assert taken["MSA"][1] == "AA"


async def test_noise_between_frames_is_kept_and_shifts_no_answer(start: Any, watch: Any) -> None:
    async with watch(MESSAGE_REJECTED) as reader, start() as service, MllpClient(service.mllp) as client:
        await client.write(b"\r\n\0\0stray bytes\r\n\x0b" + admission("G1") + b"\x1c\r\n\0")
        first = fields(await client.read())
        second = fields(await client.send(admission("G2")))
        (record,) = await reader.read(1)
    assert (first["MSA"][2], second["MSA"][2]) == ("G1", "G2")
    assert record.payload.raw.inline.startswith(b"stray bytes")
    assert record.payload.acknowledgement_code == ""


@pytest.mark.parametrize(
    ("modes", "policy", "codes"),
    [
        ("", Policy.ONE, ["AA"]),
        ("AL|NE", Policy.ONE, ["CA"]),
        ("NE|AL", Policy.ONE, ["AA"]),
        ("AL|AL", Policy.ONE, ["CA"]),
        ("NE|NE", Policy.ONE, ["CA"]),
        ("AL|AL", Policy.MATRIX, ["CA", "AA"]),
        ("SU|ER", Policy.MATRIX, ["CA"]),
        ("ER|SU", Policy.MATRIX, ["AA"]),
    ],
)
async def test_acknowledgement_modes_are_kept(start: Any, modes: str, policy: Policy, codes: list[str]) -> None:
    async with start(policy=policy) as service, MllpClient(service.mllp) as client:
        await client.write(b"\x0b" + admission("K1", modes=modes) + b"\x1c\r")
        assert [fields(await client.read())["MSA"][1] for _ in codes] == codes


async def test_what_was_taken_is_answered_when_the_listener_closes(start: Any, watch: Any) -> None:
    async with watch(MESSAGE_RECEIVED) as reader:
        async with start() as service:
            client = await MllpClient(service.mllp).__aenter__()
            for n in range(40):
                await client.write(b"\x0b" + admission(f"C{n}") + b"\x1c\r")
            first = await reader.read_some()
        answers: list[str] = []
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                answers.append(fields(await client.read())["MSA"][2])
        taken = {record.payload.header.control_id for record in [*first, *await reader.read_all()]}
    assert answers == [f"C{n}" for n in range(len(answers))]
    assert set(answers) == taken


async def test_connections_over_the_bound_are_closed_and_the_others_served(start: Any, objects: ObjectStorage) -> None:
    async with start() as service:
        clients = [MllpClient(service.mllp) for _ in range(33)]
        for client in clients:
            await client.__aenter__()
        closed = await clients[-1].closed_by_peer()
        served = fields(await clients[0].send(admission("B1")))
        for client in clients:
            await client.__aexit__()
    assert closed
    assert served["MSA"][1] == "AA"
