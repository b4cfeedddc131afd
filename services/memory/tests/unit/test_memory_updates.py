from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from consult import times
from longitude.imaging.v1.events_pb2 import DocumentRead, Finding, StudyAnalysed
from longitude.ingestion.v1.events_pb2 import MessageHeader, MessageReceived, PatientIdentity
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.fact_pb2 import IdentityLink
from memory.domain import updates
from memory.domain.identity import Identifier

Build = Callable[..., Any]
At = Callable[[float], datetime]
KEY = cf.PatientKey(id="1", authority="NORTH")


def message(**fields: Any) -> MessageReceived:
    return MessageReceived(patient=PatientIdentity(key=KEY), **fields)


def test_a_message_is_stated_when_its_sender_says(at: At) -> None:
    sent = message(header=MessageHeader(sent_at=times.stamp(at(1))), received_at=times.stamp(at(2)))
    update = updates.of_message(sent, at(3))
    assert update is not None
    assert (update.stated_at, update.received_at) == (at(1), at(2))


def test_a_clock_that_runs_ahead_cannot_state_anything_after_its_receipt(at: At) -> None:
    sent = message(header=MessageHeader(sent_at=times.stamp(at(9000))), received_at=times.stamp(at(2)))
    update = updates.of_message(sent, at(3))
    assert update is not None
    assert update.stated_at == at(2)


def test_a_message_without_times_of_its_own_has_those_of_its_event(at: At) -> None:
    update = updates.of_message(message(), at(3))
    assert update is not None
    assert (update.stated_at, update.received_at) == (at(3), at(3))


def test_a_message_about_no_patient_says_nothing_to_the_record(at: At) -> None:
    assert updates.of_message(MessageReceived(), at(0)) is None


@pytest.mark.parametrize(("processing_id", "taken"), [("", True), ("P", True), ("T", False), ("D", False)])
def test_only_production_says_anything_to_the_record(processing_id: str, fact: Build, at: At, *, taken: bool) -> None:
    link = IdentityLink(surviving=KEY, merged=cf.PatientKey(id="2", authority="NORTH"))
    sent = message(header=MessageHeader(processing_id=processing_id), facts=[fact()], links=[link])
    assert (updates.of_message(sent, at(0)) is not None) == taken


def test_facts_about_nobody_are_refused(fact: Build, at: At) -> None:
    with pytest.raises(ValueError, match="without a patient"):
        updates.of_message(MessageReceived(facts=[fact()]), at(0))


def test_a_fact_without_an_id_is_refused(at: At) -> None:
    with pytest.raises(ValueError, match="without an id"):
        updates.of_message(message(facts=[cf.ClinicalFact()]), at(0))


def test_a_fact_without_a_patient_is_about_the_patient_of_its_event(at: At) -> None:
    update = updates.of_message(message(facts=[cf.ClinicalFact(fact_id="f")]), at(0))
    assert update is not None
    assert update.facts[0].patient == KEY


def test_links_carry_whether_they_are_taken_back(at: At) -> None:
    other = cf.PatientKey(id="2", authority="LAKE")
    links = [IdentityLink(surviving=KEY, merged=other, removed=removed) for removed in (False, True)]
    update = updates.of_message(message(links=links), at(0))
    assert update is not None
    assert [link.removed for link in update.links] == [False, True]
    assert update.identifiers == {Identifier("NORTH", "1"), Identifier("LAKE", "2")}


def test_the_text_of_a_document_is_indexed_under_its_id(at: At) -> None:
    read = DocumentRead(document_id="d", patient=KEY, text="Penicillin: rash.", authored_at=times.stamp(at(1)))
    (text,) = updates.of_document(read, at(2), "event").texts
    assert (text.document_id, text.text, text.authored_at) == ("d", "Penicillin: rash.", at(1))
    assert text.source.document_id == "d"


def test_a_blank_document_has_no_text_to_index(at: At) -> None:
    assert updates.of_document(DocumentRead(document_id="d", patient=KEY, text=" \n"), at(2), "event").texts == ()


def test_a_document_that_is_about_another_patient_has_no_text_to_index(at: At) -> None:
    read = DocumentRead(document_id="d", patient=KEY, text="MRN 77. Penicillin: rash.", problem="another patient")
    assert updates.of_document(read, at(2), "event").texts == ()


def test_notes_of_facts_are_indexed_and_facts_read_from_documents_bring_none(fact: Build, at: At) -> None:
    noted = fact(fact_id="noted", note="Reaction was mild.")
    from_document = fact(fact_id="read", note="rash", source=cf.SourcePointer(document_id="d"))
    narrative = fact(fact_id="report", text="The lungs are clear. The heart is of normal size. No effusion is seen.")
    short = fact(fact_id="short", text="negative")
    update = updates.of_message(message(facts=[noted, from_document, narrative, short]), at(0))
    assert update is not None
    assert [text.fact_id for text in update.texts] == ["noted", "report"]


@pytest.mark.parametrize("modality", ["chest_film", "skin_photo"])
def test_a_study_of_any_modality_brings_its_facts_and_not_its_findings(modality: str, fact: Build, at: At) -> None:
    study = StudyAnalysed(
        patient=KEY,
        modality=modality,
        findings=[Finding(name="stated"), Finding(name="below its threshold")],
        facts=[fact(fact_id="stated", kind=cf.FACT_KIND_IMAGING_FINDING)],
        acquired_at=times.stamp(at(1)),
    )
    update = updates.of_study(study, at(2))
    assert [one.fact_id for one in update.facts] == ["stated"]
    assert (update.stated_at, update.received_at) == (at(1), at(2))
