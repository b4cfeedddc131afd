"""Problems, persons and the social history in the wordings of letters: what is so is supported, what is not is not."""

from datetime import UTC, datetime

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from practice.records import RecordBuilder

TRUE = (
    "A 60-year-old woman with hypertension.",
    "Hypertension, onset 3 May 2020.",
    "Hypertension has been on the problem list since May 2020.",
    "She was diagnosed with hypertension in May 2020.",
    "Her hypertension remains active.",
    "Acute bronchitis in October 2024 lasted about three weeks.",
    "PMH: hypertension (2020), acute bronchitis (2024).",
    "She has no diagnosis of diabetes.",
    "She has never had a stroke.",
)
FALSE = (
    "A 50-year-old woman with hypertension.",
    "A 60-year-old man with hypertension.",
    "Hypertension, onset 3 May 2021.",
    "She was diagnosed with hypertension in May 2021.",
    "Her acute bronchitis remains active.",
    "Acute bronchitis in October 2024 lasted about three months.",
    "PMH: hypertension (2020), acute bronchitis (2022).",
    "She has no diagnosis of hypertension.",
    "She has never had acute bronchitis.",
)


def verdict(sentence: str) -> Verdict:
    record = RecordBuilder()
    record.born("1966-01-01")
    record.problem("I10", "Essential (primary) hypertension", "2020-05-03")
    record.problem("J20.9", "Acute bronchitis", "2024-10-02", end="2024-10-23")
    sources = Sources.of(datetime(2026, 10, 7, tzinfo=UTC), record.facts, identifiers=[record.patient])
    return worst(claims(sentence, Record(sources, sources.current)))


@pytest.mark.parametrize("sentence", TRUE)
def test_what_the_record_has_of_a_problem_is_supported_in_many_wordings(sentence: str) -> None:
    assert verdict(sentence) is Verdict.SUPPORTED


@pytest.mark.parametrize("sentence", FALSE)
def test_another_day_age_sex_state_or_a_denial_is_not(sentence: str) -> None:
    assert verdict(sentence) is not Verdict.SUPPORTED
