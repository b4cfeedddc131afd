"""Values as letters tell them: clauses that share a subject, extremes, bounds, scores, averages; each with its lie."""

from datetime import UTC, datetime
from functools import cache

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from practice.records import RecordBuilder

TODAY = datetime(2026, 10, 7, tzinfo=UTC)
LDL = (("120", "2018-03-05"), ("180", "2020-05-04"), ("90", "2022-06-06"), ("110", "2025-09-08"))


@cache
def record() -> Record:
    made = RecordBuilder()
    made.born("1957-04-18")
    for value, day in LDL:
        made.result("18262-6", "LDL cholesterol", value, "mg/dL", day)
    for value, day in (("17", "2019-02-04"), ("3", "2021-03-08")):
        made.result("44261-6", "PHQ-9", value, "{score}", day)
    made.result("72514-3", "Pain score", "4", "{score}", "2021-03-08")
    made.result("8302-2", "Body height", "181.5", "cm", "2021-03-08")
    sources = Sources.of(TODAY, made.facts, identifiers=[made.patient])
    return Record(sources, sources.current)


# A true sentence, and the same with one thing changed.
SENTENCES = (
    (
        "LDL peaked at 180 mg/dL in May 2020 and has since come down to 110 mg/dL.",
        "LDL peaked at 180 mg/dL in May 2020 and has since gone up to 110 mg/dL.",
    ),
    (
        "LDL fell from 180 in May 2020 to 90 in June 2022, then rose again to 110 mg/dL in September 2025.",
        "LDL fell from 180 in May 2020 to 90 in June 2022, then fell again to 110 mg/dL in September 2025.",
    ),
    ("LDL bottomed out at 90 mg/dL in June 2022.", "LDL bottomed out at 90 mg/dL in June 2021."),
    ("LDL reached its highest value, 180, in May 2020.", "LDL reached its lowest value, 180, in May 2020."),
    ("All LDL values since 2022 were below 111 mg/dL.", "All LDL values since 2020 were below 111 mg/dL."),
    ("LDL has been above 150 mg/dL at least once.", "LDL has been above 190 mg/dL at least once."),
    ("LDL halved from 180 mg/dL in May 2020 to 90 mg/dL in June 2022.", "LDL halved from 180 mg/dL in May 2020."),
    ("LDL averaged 125 mg/dL over four measurements.", "LDL averaged 125 mg/dL over three measurements."),
    ("PHQ-9 was 17/27 in February 2019.", "PHQ-9 was 17/21 in February 2019."),
    ("She rated her pain 4 out of 10 in March 2021.", "She rated her pain 4 out of 12 in March 2021."),
    ("Height is 181.5 cm (about 5 ft 11 in).", "Height is 181.5 cm (about 5 ft 9 in)."),
    (
        "PHQ-9 was 17 in February 2019 and only 3 in March 2021.",
        "PHQ-9 was 17 in February 2019 and only 3 in May 2021.",
    ),
)


@pytest.mark.parametrize(("true", "changed"), SENTENCES)
def test_a_value_is_supported_as_letters_tell_it_and_not_with_one_thing_changed(true: str, changed: str) -> None:
    assert worst(claims(true, record())) is Verdict.SUPPORTED, [claim.reason for claim in claims(true, record())]
    assert worst(claims(changed, record())) is not Verdict.SUPPORTED


def test_an_extreme_without_a_value_or_a_time_is_about_the_newest_one() -> None:
    assert worst(claims("LDL is at its lowest.", record())) is Verdict.CONTRADICTED
