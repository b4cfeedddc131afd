"""Data of another major version of PostgreSQL."""

from pathlib import Path

import pytest
from native_stack import postgres
from native_stack.part import PartError


def test_data_of_another_version_is_refused_with_what_to_do() -> None:
    with pytest.raises(PartError, match=r"is of PostgreSQL 9, the program is \d+: take a backup"):
        postgres._check_version("9", Path("/data"))
