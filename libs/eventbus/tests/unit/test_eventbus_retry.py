from itertools import count

import pytest
from contracts.errors import BusyError, NotFoundError, UnavailableError
from eventbus.retry import Backoff, until_available
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(min_value=1, max_value=10_000))
def test_a_delay_grows_to_its_bound_and_never_beyond(attempt: int) -> None:
    ceiling = min(5.0, 0.1 * 2.0 ** (attempt - 1)) if attempt < 100 else 5.0
    assert ceiling / 2 <= Backoff(0.1, 5.0).delay(attempt) <= ceiling


async def test_what_is_away_is_asked_again_until_it_answers_and_subclasses_count() -> None:
    attempts, paused = count(1), []

    async def action() -> str:
        match next(attempts):
            case 1:
                raise UnavailableError("away")
            case 2:
                raise BusyError("busy")
        return "answer"

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    assert await until_available(action, Backoff(1.0, 4.0), pause=pause) == "answer"
    assert [0.5 <= paused[0] <= 1.0, 1.0 <= paused[1] <= 2.0, len(paused)] == [True, True, 2]


async def test_an_error_that_does_not_pass_is_not_waited_for() -> None:
    async def action() -> None:
        raise NotFoundError("no such patient")

    async def pause(_: float) -> None:
        raise AssertionError("waited")

    with pytest.raises(NotFoundError):
        await until_available(action, pause=pause)
