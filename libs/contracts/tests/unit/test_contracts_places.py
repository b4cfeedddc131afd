"""Remarks are counted by places of a closed set, whatever a sender makes up."""

import pytest
from contracts.places import place_of
from hypothesis import given
from hypothesis import strategies as st
from longitude.ingestion.v1.events_pb2 import Remark


@pytest.mark.parametrize(
    ("segment", "field", "place"),
    [
        ("OBX[3]", "OBX-5.1", "OBX-5"),
        ("OBX[3]", "OBX-5", "OBX-5"),
        ("PID[1]", "", "PID"),
        ("", "", "message"),
        ("DICOM", "(0010,0020)", "DICOM"),
        ("ZZZ[1]", "ZZZ-5", "other"),
        ("OBX[1]", "OBX-500", "OBX"),
    ],
)
def test_a_place_is_segment_and_field_without_occurrence(segment: str, field: str, place: str) -> None:
    assert place_of(Remark(segment=segment, field=field)) == place


@given(st.text(), st.text())
def test_what_is_made_up_is_no_place_of_its_own(segment: str, field: str) -> None:
    place = place_of(Remark(segment=segment, field=field))
    assert place in {"message", "other", "DICOM"} or place[:3] == segment[:3]
