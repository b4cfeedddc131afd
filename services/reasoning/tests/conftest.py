"""The record of failing kidneys."""

from collections.abc import Callable

import pytest
from grounding import Sources
from practice.records import RecordBuilder
from testkit.kidneys import failing_kidneys, sources_of


@pytest.fixture
def patient() -> tuple[RecordBuilder, dict[str, str]]:
    return failing_kidneys()


@pytest.fixture
def build_sources() -> Callable[[RecordBuilder], Sources]:
    return sources_of
