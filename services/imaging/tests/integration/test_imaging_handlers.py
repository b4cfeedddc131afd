"""Both handlers on a real database, object store and Triton."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

import numpy as np
import pytest
from contracts.errors import PermanentError, UnavailableError
from eventbus import Outgoing
from imaging.adapters.triton import Networks
from imaging.domain import document as reading
from imaging.domain.document import Reader
from imaging.domain.modality import Modality
from imaging.flows.documents import UNSUPPORTED
from imaging.flows.outside import Outside
from imaging.handlers import on_document_received, on_study_received
from imaging.modalities import known
from longitude.imaging.v1.events_pb2 import DocumentRead, StudyAnalysed
from longitude.record.v1 import fact_pb2 as pb
from PIL import Image
from servicekit.triton import TritonClient
from testkit.files import cda, pdf, rtf

Build = Callable[..., Any]
READER = Reader(0.8, UTC)
ROWS = [("Creatinine", "121", "umol/L", "49 - 90"), ("Potassium", "5.0", "mmol/L", "3.5 - 5.1")]


def only(outgoing: Sequence[Outgoing]) -> Any:
    (one,) = outgoing
    return one.payload


async def test_a_film_is_analysed_and_kept(
    outside: Outside, keep: Build, study: Build, event: Build, film_file: Build
) -> None:
    received = study(await keep(film_file(seed=3, ViewPosition="PA")))
    analysis: StudyAnalysed = only(
        await on_study_received(event(received, "film"), outside=outside, modalities=known())
    )
    assert analysis.quality.acceptable
    assert list(analysis.quality.problems) == []
    assert analysis.modality == "chest_film"
    assert [(one.name, one.text, one.probability) for one in analysis.attributes] == [("projection", "PA", 1.0)]
    assert [finding.name for finding in analysis.findings] == ["opacity"]
    assert len(analysis.model.sha256) == 64
    assert await outside.store.study(received.sop_instance_uid) == analysis


async def test_every_finding_has_a_picture_and_every_stated_one_a_fact(
    outside: Outside, keep: Build, study: Build, event: Build, film_file: Build
) -> None:
    stated = 0
    for seed in range(40, 52):
        received = study(await keep(film_file(seed=seed, opacity=True)))
        analysis: StudyAnalysed = only(
            await on_study_received(event(received, f"finding-{seed}"), outside=outside, modalities=known())
        )
        for finding in analysis.findings:
            present = finding.assertion == pb.ASSERTION_PRESENT
            assert present == (finding.probability >= finding.threshold)
            stated += present
            assert len(analysis.facts) == int(present)
            png = await outside.objects.get(finding.picture)
            assert Image.open(io.BytesIO(png)).format == "PNG"
            if present:
                assert analysis.facts[0].source.sop_instance_uid == received.sop_instance_uid
    assert stated > 0


@pytest.mark.parametrize(
    ("data", "problem"),
    [(b"this is no DICOM file", "not a DICOM file"), (b"\0" * 128 + b"DICM" + b"\xff" * 64, "")],
)
async def test_a_file_that_is_no_film_is_answered_with_its_problem(
    outside: Outside, keep: Build, study: Build, event: Build, data: bytes, problem: str
) -> None:
    received = study(await keep(data))
    analysis: StudyAnalysed = only(
        await on_study_received(event(received, f"bad-{len(data)}"), outside=outside, modalities=known())
    )
    assert not analysis.quality.acceptable
    assert problem in analysis.quality.problems[0]
    assert (list(analysis.findings), list(analysis.facts)) == ([], [])


async def test_what_no_modality_takes_is_answered_without_being_fetched(
    outside: Outside, keep: Build, study: Build, event: Build
) -> None:
    instance = await keep(b"a scan of a knee")
    instance.key = "never-stored"
    analysis: StudyAnalysed = only(
        await on_study_received(event(study(instance, "MR"), "mr"), outside=outside, modalities=known())
    )
    assert list(analysis.quality.problems) == ["no modality takes this kind of image"]


async def test_a_turned_film_is_not_read(
    outside: Outside, keep: Build, study: Build, event: Build, film_file: Build
) -> None:
    upright = np.frombuffer(film_file(seed=5)[-512 * 512 * 2 :], "<u2").reshape(512, 512)
    received = study(await keep(film_file(np.rot90(upright, 2))))
    analysis: StudyAnalysed = only(
        await on_study_received(event(received, "turned"), outside=outside, modalities=known())
    )
    assert list(analysis.quality.problems) == ["the film is upside down"]
    assert list(analysis.facts) == []


async def test_a_second_modality_goes_the_whole_way_with_no_other_file_than_its_folder(
    outside: Outside,
    keep: Build,
    study: Build,
    event: Build,
    photo_file: Build,
    with_skin_photo: tuple[Modality[Any], ...],
) -> None:
    received = study(await keep(photo_file(2)), "XC")
    outgoing = await on_study_received(event(received, "photo"), outside=outside, modalities=with_skin_photo)
    analysis: StudyAnalysed = only(outgoing)
    assert (analysis.modality, analysis.quality.acceptable, len(analysis.model.sha256)) == ("skin_photo", True, 64)
    assert [finding.attributes[0].quantity.value for finding in analysis.findings] == ["40", "40"]
    drawn = [await outside.objects.get(finding.picture) for finding in analysis.findings]
    assert [Image.open(io.BytesIO(png)).size for png in drawn] == [(40, 30), (40, 30)]
    assert [fact.code.code for fact in analysis.facts] == ["dark-spot", "dark-spot"]
    assert [fact.source.box for fact in analysis.facts] == [finding.region for finding in analysis.findings]
    assert await outside.store.study(received.sop_instance_uid) == analysis


async def test_an_answer_that_the_modality_cannot_use_is_refused_for_good(
    outside: Outside, keep: Build, study: Build, event: Build, film_file: Build
) -> None:
    (chest_film,) = known()
    deaf = replace(chest_film, network=replace(chest_film.network, outputs=("PROBABILITIES",)))
    arrived = event(study(await keep(film_file(seed=9))), "deaf")
    with pytest.raises(PermanentError, match="network-answer"):
        await on_study_received(arrived, outside=outside, modalities=[deaf])
    assert not await outside.store.has(arrived.id)


async def test_a_redelivered_event_publishes_the_stored_answer_byte_for_byte(
    outside: Outside, keep: Build, study: Build, event: Build, film_file: Build
) -> None:
    arrived = event(study(await keep(film_file(seed=6))), "twice")
    (first,) = await on_study_received(arrived, outside=outside, modalities=known())
    async with TritonClient.connect("127.0.0.1:1") as nowhere:
        blind = replace(outside, networks=Networks(nowhere, []))
        (second,) = await on_study_received(arrived, outside=blind, modalities=known())
    assert (second.id, second.value()) == (first.id, first.value())


async def test_nothing_is_stored_while_triton_is_away_and_the_answer_comes_when_it_is_back(
    outside: Outside, keep: Build, study: Build, event: Build, film_file: Build
) -> None:
    arrived = event(study(await keep(film_file(seed=7))), "outage")
    async with TritonClient.connect("127.0.0.1:1") as nowhere:
        with pytest.raises(UnavailableError):
            await on_study_received(
                arrived, outside=replace(outside, networks=Networks(nowhere, [])), modalities=known()
            )
    assert not await outside.store.has(arrived.id)
    assert only(await on_study_received(arrived, outside=outside, modalities=known())).quality.acceptable


async def test_an_altered_object_is_refused_for_good(
    outside: Outside, keep: Build, study: Build, event: Build, film_file: Build
) -> None:
    instance = await keep(film_file(seed=8))
    instance.sha256 = "0" * 64
    with pytest.raises(PermanentError, match="object-altered"):
        await on_study_received(event(study(instance), "altered"), outside=outside, modalities=known())


async def test_a_laboratory_page_becomes_facts_with_their_place(
    outside: Outside, keep: Build, document: Build, event: Build, lab_page: Build
) -> None:
    received = document(await keep(lab_page(ROWS), "image/png"))
    read: DocumentRead = only(await on_document_received(event(received, "page"), outside=outside, reader=READER))
    assert read.problem == ""
    creatinine, potassium = read.facts
    assert (creatinine.code.code, creatinine.quantity.value, creatinine.quantity.unit) == ("2160-0", "1.37", "mg/dL")
    assert (potassium.code.code, potassium.quantity.value) == ("2823-3", "5.0")
    assert creatinine.provenance == pb.PROVENANCE_READ_FROM_IMAGE
    assert creatinine.source.box.top < potassium.source.box.top
    assert await outside.store.document(received.document_id) == read


async def test_a_page_of_another_patient_gives_no_facts(
    outside: Outside, keep: Build, document: Build, event: Build, lab_page: Build
) -> None:
    received = document(await keep(lab_page(ROWS, identifier="NW-204418"), "image/png"))
    read: DocumentRead = only(await on_document_received(event(received, "other"), outside=outside, reader=READER))
    assert read.problem == reading.OTHER_PATIENT
    assert list(read.facts) == []
    assert len(read.fields) == 4


async def test_a_letter_gives_allergies_with_their_characters(
    outside: Outside, keep: Build, document: Build, event: Build
) -> None:
    text = "Dear colleague,\nShe had anaphylaxis to penicillin in 2014. Mother is allergic to latex."
    received = document(await keep(text.encode(), "text/plain; charset=utf-8"))
    read: DocumentRead = only(await on_document_received(event(received, "letter"), outside=outside, reader=READER))
    (fact,) = read.facts
    assert read.text[fact.source.text_start : fact.source.text_end] == "anaphylaxis to penicillin"
    assert fact.code.code == "764146007"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (pdf("Allergic to penicillin."), "application/pdf"),
        (rtf("Allergic to penicillin."), "application/rtf"),
        (cda(("Letter", "Allergic to penicillin.")), "application/xml"),
        (b"<html><p>Allergic to <b>penicillin</b>.</p></html>", "text/html"),
    ],
)
async def test_a_letter_in_any_format_gives_what_it_says(
    outside: Outside, keep: Build, document: Build, event: Build, data: bytes, media_type: str
) -> None:
    received = document(await keep(data, media_type))
    arrived = event(received, f"format-{media_type}")
    read: DocumentRead = only(await on_document_received(arrived, outside=outside, reader=READER))
    (fact,) = read.facts
    assert read.text[fact.source.text_start : fact.source.text_end] == "Allergic to penicillin"
    assert (read.model, read.problem) == (reading.TEXT_READER, "")


async def test_a_pdf_of_text_and_of_a_scan_is_read_page_by_page(
    outside: Outside, keep: Build, document: Build, event: Build, lab_page: Build
) -> None:
    with Image.open(io.BytesIO(lab_page(ROWS))) as image:
        side = max(image.size)
        square = Image.new("L", (side, side), 255)
        square.paste(image.convert("L"))
    data = pdf("Allergic to penicillin.", square.tobytes())
    received = document(await keep(data, "application/pdf"))
    read: DocumentRead = only(await on_document_received(event(received, "mixed"), outside=outside, reader=READER))
    allergy, *results = read.facts
    assert (allergy.provenance, allergy.source.page) == (pb.PROVENANCE_READ_FROM_TEXT, 1)
    assert {(fact.provenance, fact.source.page) for fact in results} == {(pb.PROVENANCE_READ_FROM_IMAGE, 2)}
    assert {fact.code.code for fact in results} <= {"2160-0", "2823-3"}
    assert read.model.name == "page_reader"


def empty_page() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (1000, 1400), 252).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "media_type", "problem"),
    [
        (empty_page(), "image/png", reading.BLANK),
        (empty_page()[:200], "image/png", "unreadable image: damaged or cut off"),
        (b"", "image/png", "unreadable image: not PNG, JPEG or TIFF"),
        (b"%PDF-1.7", "application/pdf", "damaged PDF"),
        (b"PK", "application/zip", UNSUPPORTED),
        (b"\xff\xfe\xff", "text/plain", "the text is not in the character set it declares"),
        (b"  \n", "text/plain", reading.BLANK),
    ],
)
async def test_what_cannot_be_read_is_answered_with_its_problem(
    outside: Outside, keep: Build, document: Build, event: Build, data: bytes, media_type: str, problem: str
) -> None:
    received = document(await keep(data, media_type))
    arrived = event(received, f"unread-{media_type}-{len(data)}")
    read: DocumentRead = only(await on_document_received(arrived, outside=outside, reader=READER))
    assert read.problem == problem
    assert list(read.facts) == []
    assert read.document_id == received.document_id


async def test_a_document_beyond_the_bound_is_not_fetched(
    outside: Outside, keep: Build, document: Build, event: Build
) -> None:
    content = await keep(b"small", "text/plain")
    content.size, content.key = outside.largest + 1, "never-stored"
    arrived = event(document(content), "large")
    read: DocumentRead = only(await on_document_received(arrived, outside=outside, reader=READER))
    assert read.problem == "too large to be read"
