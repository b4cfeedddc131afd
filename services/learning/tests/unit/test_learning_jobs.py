"""What may be asked for, how long it takes, and what a failure is called."""

from datetime import UTC, datetime, timedelta

import pytest
from contracts.errors import InvalidInputError, PermanentError
from learning.adapters.recipes import RecipeMissingError, load
from learning.domain.jobs import Order, Running, check_person, seconds_left
from learning.train.attempt import reason_of

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def test_the_time_left_follows_the_pace_of_this_attempt() -> None:
    assert seconds_left(Running(40, 100, 30, NOW - timedelta(seconds=30)), NOW) == pytest.approx(180)


def test_before_its_first_step_nobody_knows_the_time_left() -> None:
    assert seconds_left(Running(30, 100, 30, NOW - timedelta(seconds=30)), NOW) is None


def test_the_same_request_id_is_the_same_job() -> None:
    one, other = Order("r", "a", 1, 1, "p"), Order("r", "b", 2, 2, "q")
    assert one.job_id == other.job_id != Order("s", "a", 1, 1, "p").job_id


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb"])
def test_a_decision_has_a_person(name: str) -> None:
    with pytest.raises(InvalidInputError):
        check_person(name, "decided_by")


def test_a_recipe_that_is_missing_is_named_with_those_that_are_there() -> None:
    with pytest.raises(RecipeMissingError, match=r"training\.recipes:nobodys; there are: .*line-fit"):
        load("nobodys")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("a text of the training set"), "ValueError"),
        (PermanentError("diverged"), "diverged"),
        (OSError(28, "No space left on device", "/a/path"), "OSError: No space left on device"),
    ],
)
def test_a_failure_is_named_and_quotes_nothing_of_others(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason
