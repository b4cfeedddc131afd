"""Remarks are counted by places and reasons of a closed set, whatever a sender makes up."""

import ast
from pathlib import Path

import ingestion
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
        ("ZZZ[1]", "ZZZ-5", "other"),
        ("OBX[1]", "OBX-500", "OBX"),
    ],
)
def test_a_place_is_segment_and_field_without_occurrence(segment: str, field: str, place: str) -> None:
    assert place_of(Remark(segment=segment, field=field)) == place


@given(st.text(), st.text())
def test_what_is_made_up_is_no_place_of_its_own(segment: str, field: str) -> None:
    place = place_of(Remark(segment=segment, field=field))
    assert place in {"message", "other"} or place[:3] == segment[:3]


def test_no_reason_is_made_from_what_a_message_says() -> None:
    """A reason is a label of a metric and stands in reports: only what is written in the code can be one."""
    for path in Path(ingestion.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or _name(node) not in {"remark", "Remark"}:
                continue
            reasons = [*node.args[2:3], *(one.value for one in node.keywords if one.arg == "reason")]
            assert not any(isinstance(reason, ast.JoinedStr | ast.BinOp | ast.Call) for reason in reasons), path


def _name(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))
