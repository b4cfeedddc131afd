"""Builders of facts and of their statements. Times are days after 1 January 2024, so that tests read as stories."""

from collections.abc import Callable
from datetime import datetime

import pytest
from longitude.record.v1 import fact_pb2 as cf
from memory.domain.timeline import StatedFact
from testkit.facts import build_fact, day

FactBuilder = Callable[..., cf.ClinicalFact]
StatementBuilder = Callable[..., StatedFact]


def build_statement(
    built: cf.ClinicalFact, stated: float = 0, recorded: float | None = None, received: float | None = None, n: int = 0
) -> StatedFact:
    """A fact as recorded: received and recorded on the day it was stated unless said otherwise."""
    received = stated if received is None else received
    return StatedFact(built, day(stated), day(received), n, day(received if recorded is None else recorded))


@pytest.fixture(scope="session")
def fact() -> FactBuilder:
    return build_fact


@pytest.fixture(scope="session")
def statement() -> StatementBuilder:
    return build_statement


@pytest.fixture(scope="session")
def at() -> Callable[[float], datetime]:
    return day
