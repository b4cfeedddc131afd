"""Turns, budget, control ids, DICOM headers and settings."""

import asyncio
import io
from pathlib import Path

import pytest
from ingestion.adapters.budget import Budget
from ingestion.domain import dicom
from ingestion.domain.control_ids import ControlIds
from ingestion.domain.feed import FeedRules
from ingestion.domain.hl7 import parse
from ingestion.domain.reading import Feed
from ingestion.flows.turns import Turns
from ingestion.settings import Settings
from longitude.ingestion.v1.events_pb2 import Filing
from longitude.record.v1.fact_pb2 import PatientKey
from pydantic import ValidationError
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian
from servicekit.settings import EX_CONFIG, load


async def test_work_of_one_key_goes_in_order_and_other_keys_do_not_wait() -> None:
    turns, done, gate = Turns(), [], asyncio.Event()

    async def work(key: bytes, name: str, *, waits: bool = False) -> None:
        async with turns.turn(key):
            if waits:
                await gate.wait()
            done.append(name)

    tasks = [
        asyncio.create_task(work(b"a", "a1", waits=True)),
        asyncio.create_task(work(b"a", "a2")),
        asyncio.create_task(work(b"b", "b1")),
        asyncio.create_task(work(b"", "nobody")),
    ]
    await asyncio.sleep(0.01)
    assert sorted(done) == ["b1", "nobody"]
    gate.set()
    await asyncio.gather(*tasks)
    assert done[2:] == ["a1", "a2"]
    assert not turns._last


async def test_a_turn_that_fails_or_is_cancelled_lets_the_next_one_go() -> None:
    turns = Turns()

    async def fail() -> None:
        async with turns.turn(b"a"):
            raise ValueError

    async def hang() -> None:
        async with turns.turn(b"a"):
            await asyncio.sleep(60)

    failing, hanging = asyncio.create_task(fail()), asyncio.create_task(hang())
    await asyncio.sleep(0.01)
    hanging.cancel()
    await asyncio.gather(failing, hanging, return_exceptions=True)
    async with asyncio.timeout(1), turns.turn(b"a"):
        pass


async def test_a_budget_is_never_overdrawn_and_serves_in_order() -> None:
    budget, order = Budget(10), []

    async def take(amount: int) -> None:
        await budget.take(amount)
        order.append(amount)

    await take(8)
    waiting = [asyncio.create_task(take(amount)) for amount in (7, 1, 20)]
    await asyncio.sleep(0)
    assert order == [8]
    budget.give_back(8)
    await asyncio.sleep(0.01)
    assert order == [8, 7, 1]
    budget.give_back(8)
    await asyncio.gather(*waiting)
    assert order == [8, 7, 1, 20]


def test_a_reused_control_id_is_noticed_and_a_resend_is_not() -> None:
    ids = ControlIds(size=2)
    header = parse("MSH|^~\\&|A|B|||20240101||ADT^A01|7|P|2.5").header
    others = [parse(f"MSH|^~\\&|A|B|||20240101||ADT^A01|{n}|P|2.5").header for n in (8, 9)]
    assert [ids.is_reused(header, digest) for digest in (b"x", b"x", b"y", b"x")] == [False, False, True, False]
    assert [ids.is_reused(other, b"z") for other in others] == [False, False]
    assert not ids.is_reused(header, b"y"), "the oldest is forgotten"


def dicom_file(**changes: str) -> bytes:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2", "1.2.1"
    dataset.PatientID, dataset.StudyDate, dataset.StudyTime = "P1", "20240301", "101500"
    for name, value in changes.items():
        setattr(dataset, name, value)
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


def test_the_header_of_an_instance_says_who_what_and_when() -> None:
    event = dicom.read_instance(dicom_file(), Feed(default=FeedRules(authority="SOMEWHERE")))
    assert (event.patient.id, event.patient.authority) == ("P1", "SOMEWHERE")
    assert event.acquired_at.ToJsonString() == "2024-03-01T10:15:00Z"
    issued = dicom.read_instance(
        dicom_file(IssuerOfPatientID="NORTH", AcquisitionDateTime="20240301091500+0100"), Feed()
    )
    assert issued.patient.authority == "NORTH"
    assert issued.acquired_at.ToJsonString() == "2024-03-01T08:15:00Z"


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\0" * 128 + b"DICM", dicom_file(StudyInstanceUID=""), dicom_file()[:200]]
)
def test_what_is_no_instance_is_not_understood_and_not_quoted(data: bytes) -> None:
    with pytest.raises(dicom.UnreadableInstanceError) as error:
        dicom.read_instance(data, Feed())
    assert "P1" not in str(error.value)


@pytest.mark.parametrize("identifier", ["", "  ", "UNKNOWN"])
def test_an_instance_without_a_patient_id_is_nobodys_and_says_so(identifier: str) -> None:
    event = dicom.read_instance(dicom_file(PatientID=identifier), Feed())
    assert not event.HasField("patient")
    assert event.sop_instance_uid == "1.2.3"
    (remark,) = event.remarks
    assert remark.field == "(0010,0020)"


def test_a_filed_instance_is_the_same_event_for_the_same_patient_alone() -> None:
    unfiled = dicom.read_instance(dicom_file(PatientID=""), Feed())
    filing = Filing(filed_by="Dr A", reason="wristband")
    first, again, other = (
        dicom.filed(unfiled, PatientKey(id=identifier, authority="N"), filing) for identifier in ("1", "1", "2")
    )
    assert (first.patient.id, first.filing, list(first.remarks)) == ("1", filing, [])
    assert dicom.filed_event_id(first) == dicom.filed_event_id(again) != dicom.filed_event_id(other)
    assert not unfiled.HasField("patient")


ENVIRONMENT = {
    "KAFKA": "127.0.0.1:9092", "GRPC_LISTEN": "127.0.0.1:0", "HTTP_LISTEN": "127.0.0.1:0",
    "MLLP_LISTEN": "127.0.0.1:2575", "DICOM_LISTEN": "127.0.0.1:11112", "OBJECTS": "127.0.0.1:9000",
    "OBJECTS_ACCESS_KEY": "k", "OBJECTS_SECRET_KEY": "s",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLLP_LISTEN", "2575"),
        ("FEEDS", "no/such/file.toml"),
        ("ACKNOWLEDGEMENTS", "sometimes"),
        ("MLLP_FRAME_BYTES", "10"),
        ("MLLP_TLS_CERTIFICATE", "cert.pem"),
        ("MLLP_TLS_CLIENT_AUTHORITY", "ca.pem"),
    ],
)
def test_a_wrong_setting_is_refused_at_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    for key, text in {**ENVIRONMENT, name: value}.items():
        monkeypatch.setenv(f"LONGITUDE_{key}", text)
    with pytest.raises(ValidationError):
        Settings()


def test_a_wrong_feed_file_stops_the_process_with_file_table_and_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "feeds.toml"
    file.write_text('[NORTH]\nzone = "Middle/Earth"\n[SOUTH]\nzones = "UTC"\n', encoding="utf-8")
    for key, text in {**ENVIRONMENT, "FEEDS": str(file)}.items():
        monkeypatch.setenv(f"LONGITUDE_{key}", text)
    with pytest.raises(SystemExit) as stopped:
        load(Settings)
    said = capsys.readouterr().err
    assert stopped.value.code == EX_CONFIG
    assert said.startswith("LONGITUDE_FEEDS: ")
    assert f"{file}: NORTH.zone: must be a time zone" in said
    assert f"{file}: SOUTH.zones: " in said


def test_settings_read_the_feed_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "feeds.toml"
    file.write_text('[NORTH]\nzone = "Europe/Vienna"\n', encoding="utf-8")
    for key, text in {**ENVIRONMENT, "FEEDS": str(file)}.items():
        monkeypatch.setenv(f"LONGITUDE_{key}", text)
    assert str(Settings().feed().rules("NORTH").zone) == "Europe/Vienna"
