import pytest
from contracts.identifiers import event_id, format_patient, parse_patient, patient_partition_key
from contracts.topics import TOPICS
from hypothesis import given
from hypothesis import strategies as st
from longitude.record.v1.fact_pb2 import PatientKey

texts = st.text(max_size=20)


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4))
def test_different_parts_never_share_an_event_id(left: list[str], right: list[str]) -> None:
    assert (event_id("kind", *left) == event_id("kind", *right)) == (left == right)


@given(st.text(min_size=1), st.text(min_size=1).filter(lambda t: "@" not in t))
def test_a_patient_key_survives_being_written_and_read(identifier: str, authority: str) -> None:
    key = PatientKey(id=identifier, authority=authority)
    assert parse_patient(format_patient(key)) == key


@pytest.mark.parametrize("text", ["", "123", "@NORTH", "123@"])
def test_a_malformed_patient_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="ID@AUTHORITY"):
        parse_patient(text)


def test_a_partition_key_does_not_carry_the_identifier() -> None:
    assert b"4711" not in patient_partition_key(PatientKey(id="4711", authority="NORTH"))


def test_every_topic_is_named_after_its_owner_and_message() -> None:
    for topic in TOPICS:
        owner, event, version = topic.name.split(".")
        camel = "".join(word.capitalize() for word in event.split("-"))
        assert topic.event_type == f"longitude.{owner}.{version}.{camel}"
