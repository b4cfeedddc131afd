"""Records of the same names share what was read, and no verdict."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from grounding import Sources, Verdict, Verifier, sentence
from practice.records import RecordBuilder

NOW = datetime(2026, 10, 7, tzinfo=UTC)
TEXTS = (
    "Potassium was 6.8 mmol/L on 2026-10-06.",
    "Potassium was 4.1 mmol/L on 2026-10-06.",
    "The patient takes Zolvantin.",
    "The patient takes lisinopril.",
    "Zolvantin was stopped on 2026-09-01.",
)


def high(record: RecordBuilder) -> None:
    record.potassium("6.8", "2026-10-06")


def normal(record: RecordBuilder) -> None:
    record.potassium("4.1", "2026-10-06")


def local_drug(record: RecordBuilder) -> None:
    normal(record)
    record.medication("L-1", "Zolvantin", "2026-01-05")


def known_drug(record: RecordBuilder) -> None:
    normal(record)
    record.medication("29046", "lisinopril", "2026-01-05")


PATIENTS = (high, normal, local_drug, known_drug)


def verdicts(build: Callable[[RecordBuilder], None]) -> list[Verdict]:
    record = RecordBuilder()
    build(record)
    verifier = Verifier(Sources.of(NOW, record.facts, (), (), [record.patient]))
    return [verifier.verify_uncited(text).verdict for text in TEXTS]


@pytest.mark.parametrize("first", PATIENTS)
@pytest.mark.parametrize("then", PATIENTS)
def test_what_one_record_was_asked_changes_no_verdict_of_another(
    first: Callable[[RecordBuilder], None], then: Callable[[RecordBuilder], None]
) -> None:
    sentence._read.cache_clear()
    alone = verdicts(then)
    sentence._read.cache_clear()
    verdicts(first)
    assert verdicts(then) == alone


def test_the_same_names_are_read_once_and_judged_each_for_itself() -> None:
    sentence._read.cache_clear()
    of_high, of_normal = verdicts(high), verdicts(normal)
    assert of_high[:2] == [Verdict.SUPPORTED, Verdict.CONTRADICTED]
    assert of_normal[:2] == [Verdict.CONTRADICTED, Verdict.SUPPORTED]
    assert sentence._read.cache_info().hits >= len(TEXTS)
    assert verdicts(local_drug)[2] is not of_normal[2]
