"""A hospital's file of rows is laid over those of the package; one that breaks the schema stops the start."""

from datetime import date
from pathlib import Path

import pytest
from knowledge import RowError, shipped
from reasoning.adapters.knowledge import rows

SILENCE = """[[silence]]
family = "interactions"
id = "warfarin-nsaid"
reason = "a study of it"
person = "Dr A. Example"
until = 2027-06-30
"""


def test_without_a_file_the_rows_of_the_package_hold() -> None:
    assert rows(None) is shipped()


def test_what_the_file_silences_does_not_speak_until_its_day(tmp_path: Path) -> None:
    file = tmp_path / "hospital.toml"
    file.write_text(SILENCE, encoding="utf-8")
    assert rows(file).row("interactions", "warfarin-nsaid", date(2027, 6, 30)) is None
    assert rows(file).row("interactions", "warfarin-nsaid", date(2027, 7, 1)) is not None


def test_a_file_without_a_reason_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "hospital.toml"
    file.write_text(SILENCE.replace('reason = "a study of it"\n', ""), encoding="utf-8")
    with pytest.raises(RowError, match=r"^hospital\.toml:1: “reason” is missing"):
        rows(file)
