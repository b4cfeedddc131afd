"""Instances over C-STORE: stored byte for byte and told of before the answer, refused in DICOM's own terms."""

import asyncio
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from contracts.errors import ConflictError, NotFoundError
from contracts.topics import MESSAGE_REJECTED, STUDY_RECEIVED
from ingestion.handlers import on_filing
from longitude.ingestion.v1.events_pb2 import Filing
from longitude.record.v1.fact_pb2 import PatientKey
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE
from pynetdicom.association import Association

VERIFICATION = "1.2.840.10008.1.1"


def film(rows: int = 64) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientID, dataset.IssuerOfPatientID, dataset.PatientName = "F-1", "NORTH", "Test^Person"
    dataset.Modality, dataset.ViewPosition, dataset.BodyPartExamined = "CR", "PA", "CHEST"
    dataset.AccessionNumber = "A-77"
    dataset.AcquisitionDate, dataset.AcquisitionTime = "20240301", "101500"
    dataset.TimezoneOffsetFromUTC = "+0100"
    dataset.Rows = dataset.Columns = rows
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.PixelData = bytes(range(256)) * (rows * rows * 2 // 256)
    return dataset


@contextmanager
def association(port: int) -> Iterator[Association]:
    entity = AE(ae_title="MODALITY")
    entity.add_requested_context(ComputedRadiographyImageStorage, ExplicitVRLittleEndian)
    entity.add_requested_context(VERIFICATION)
    made = entity.associate("127.0.0.1", port)
    assert made.is_established
    try:
        yield made
    finally:
        if made.is_established:
            made.release()


def store(port: int, *datasets: Dataset) -> list[Dataset]:
    with association(port) as made:
        return [made.send_c_store(dataset) for dataset in datasets]


async def test_an_instance_is_stored_byte_for_byte_and_told_of_before_success(start: Any, watch: Any) -> None:
    dataset = film()
    async with watch(STUDY_RECEIVED) as reader, start() as service:
        (status,) = await asyncio.to_thread(store, service.dicom, dataset)
        (record,) = await reader.read(1)
        kept = dcmread(io.BytesIO(await service.store.get(record.payload.instance)))
    assert status.Status == 0x0000
    assert kept.PixelData == dataset.PixelData
    event = record.payload
    assert (event.patient.id, event.patient.authority) == ("F-1", "NORTH")
    assert (event.sop_instance_uid, event.accession_number) == (dataset.SOPInstanceUID, "A-77")
    assert (event.modality, event.view_position, event.body_part) == ("CR", "PA", "CHEST")
    assert event.acquired_at.ToJsonString() == "2024-03-01T09:15:00Z"


async def test_the_same_instance_sent_again_is_the_same_event(start: Any, watch: Any) -> None:
    dataset = film()
    async with watch(STUDY_RECEIVED) as reader, start() as service:
        await asyncio.to_thread(store, service.dicom, dataset)
        await asyncio.to_thread(store, service.dicom, dataset)
        first, second = await reader.read(2)
    assert first.event_id == second.event_id
    assert first.payload.instance == second.payload.instance


async def test_an_echo_is_answered(start: Any) -> None:
    def echo(port: int) -> int:
        with association(port) as made:
            return int(made.send_c_echo().Status)

    async with start() as service:
        assert await asyncio.to_thread(echo, service.dicom) == 0x0000


async def test_an_instance_without_patient_id_is_stored_unfiled_and_a_person_files_it_once(
    start: Any, watch: Any
) -> None:
    dataset = film()
    dataset.PatientID = ""
    patient, filing = PatientKey(id="F-9", authority="NORTH"), Filing(filed_by="Dr A", reason="wristband")
    at = datetime.now(UTC)
    async with watch(STUDY_RECEIVED) as reader, start() as service:
        (status,) = await asyncio.to_thread(store, service.dicom, dataset)
        (unfiled,) = await reader.read(1)
        uid = dataset.SOPInstanceUID
        identifiers = {await on_filing(uid, patient, filing, at, service.intake) for _ in range(2)}
        filed = await reader.read(2)
        with pytest.raises(ConflictError):
            await on_filing(uid, PatientKey(id="F-8", authority="NORTH"), filing, at, service.intake)
        with pytest.raises(NotFoundError):
            await on_filing("1.2.3", patient, filing, at, service.intake)
        kept = dcmread(io.BytesIO(await service.store.get(unfiled.payload.instance)))
    assert status.Status == 0x0000
    assert kept.SOPInstanceUID == uid
    assert not unfiled.payload.HasField("patient")
    assert [remark.reason for remark in unfiled.payload.remarks] == ["no patient id; the instance is unfiled"]
    assert {record.event_id for record in filed} == identifiers
    assert len(identifiers) == 1
    assert unfiled.event_id not in identifiers
    assert (filed[0].payload.patient, filed[0].payload.filing) == (patient, filing)
    assert filed[0].payload.instance == unfiled.payload.instance


async def test_a_refused_instance_is_kept_with_its_status_and_uid(start: Any, watch: Any) -> None:
    dataset = film()
    del dataset.StudyInstanceUID
    large = film(rows=1152)
    async with watch(MESSAGE_REJECTED) as reader, start() as service:
        statuses = await asyncio.to_thread(store, service.dicom, dataset, large)
        events = [record.payload for record in await reader.read(2)]
        kept = await service.store.get(events[0].raw.object)
        beginning = await service.store.get(events[1].raw.object)
    assert [status.Status for status in statuses] == [0xC000, 0xA700]
    assert [event.condition_code for event in events] == ["C000", "A700"]
    assert [event.sop_instance_uid for event in events] == [dataset.SOPInstanceUID, large.SOPInstanceUID]
    assert "StudyInstanceUID" in events[0].reason
    assert dcmread(io.BytesIO(kept)).PixelData == dataset.PixelData
    assert len(beginning) == 256 * 1024


async def test_bytes_that_are_no_dataset_are_not_understood(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def store_garbage(port: int) -> int:
        with association(port) as made:
            monkeypatch.setattr("pynetdicom.association.encode", lambda *_: b"not a data set" * 20)
            return int(made.send_c_store(film()).Status)

    async with start() as service:
        status = await asyncio.to_thread(store_garbage, service.dicom)
        monkeypatch.undo()
        (after,) = await asyncio.to_thread(store, service.dicom, film())
    assert status == 0xC000
    assert after.Status == 0x0000


async def test_an_instance_over_the_limit_is_answered_out_of_resources(start: Any) -> None:
    async with start() as service:
        over, under = await asyncio.to_thread(store, service.dicom, film(rows=1152), film())
    assert over.Status == 0xA700
    assert under.Status == 0x0000


async def test_an_instance_far_over_the_limit_ends_its_association_only(start: Any) -> None:
    def store_far_over(port: int) -> bool:
        with association(port) as made:
            answer = made.send_c_store(film(rows=2048))
            return "Status" in answer

    async with start() as service:
        answered = await asyncio.to_thread(store_far_over, service.dicom)
        (after,) = await asyncio.to_thread(store, service.dicom, film())
    assert not answered
    assert after.Status == 0x0000


async def test_without_object_storage_an_instance_is_refused_to_be_sent_again(start: Any) -> None:
    async with start(endpoint="127.0.0.1:1") as service:
        (status,) = await asyncio.to_thread(store, service.dicom, film())
    assert status.Status == 0xA700


async def test_what_is_no_dicom_at_all_is_cut_off_and_survived(start: Any) -> None:
    def speak_http(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=40) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while chunk := connection.recv(4096):
                answer += chunk
            return answer

    async with start() as service:
        answer = await asyncio.to_thread(speak_http, service.dicom)
        (after,) = await asyncio.to_thread(store, service.dicom, film())
    # An A-ABORT PDU (type 7), or nothing, and the end of the connection.
    assert answer[:1] in {b"", b"\x07"}
    assert after.Status == 0x0000
