"""The record of failing kidneys, and single facts. Times of these are days after 1 January 2024."""

from collections.abc import Callable
from datetime import datetime

import pytest
from grounding import Sources
from longitude.record.v1.fact_pb2 import ClinicalFact
from practice.records import RecordBuilder
from testkit.facts import build_fact, day
from testkit.kidneys import failing_kidneys, sources_of


@pytest.fixture
def patient() -> tuple[RecordBuilder, dict[str, str]]:
    return failing_kidneys()


@pytest.fixture
def build_sources() -> Callable[[RecordBuilder], Sources]:
    return sources_of


@pytest.fixture(scope="session")
def fact() -> Callable[..., ClinicalFact]:
    return build_fact


@pytest.fixture(scope="session")
def at() -> Callable[[float], datetime]:
    return day
