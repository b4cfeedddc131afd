"""Dates as pages print them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from imaging.domain.dates import find_date


@pytest.mark.parametrize(
    "text", ["2025-07-18", "on 18.07.2025", "18 July 2025", "18. Jul 2025", "07/18/2025", "18/07/2025", "18-07-2025"]
)
def test_a_date_is_read(text: str) -> None:
    assert find_date(text) == datetime(2025, 7, 18, tzinfo=UTC)


def test_the_time_after_a_date_is_read_in_the_zone_of_the_place() -> None:
    found = find_date("2025-07-18 07:45", ZoneInfo("Europe/Berlin"))
    assert found is not None
    assert found.astimezone(UTC) == datetime(2025, 7, 18, 5, 45, tzinfo=UTC)


@pytest.mark.parametrize("text", ["03/04/2025", "2025-02-30", "31.02.2025", "12345-01-01", "no date", "1.2.25"])
def test_what_is_ambiguous_or_does_not_exist_is_no_date(text: str) -> None:
    assert find_date(text) is None


def test_the_same_day_and_month_is_not_ambiguous() -> None:
    assert find_date("05/05/2025") == datetime(2025, 5, 5, tzinfo=UTC)
