"""What one person may ask: calls in a time, and different patients in a time, in memory that is bounded."""

import tracemalloc

import pytest
from contracts.errors import DeniedError
from longitude.record.v1.fact_pb2 import PatientKey
from prometheus_client import REGISTRY
from servicekit import limits
from servicekit.limits import Breadth, RateError, Rates
from servicekit.principal import Person, Principal


class Clock:
    """Seconds, as the test says."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def person(subject: str, process: str = "command") -> Principal:
    return Principal(process, Person("https://issuer", subject, "", frozenset()))


def patient(number: int) -> PatientKey:
    return PatientKey(id=str(number), authority="NORTH")


def answered(rates: Rates, principal: Principal, times: int) -> int:
    """How many of the calls were let in."""
    before = REGISTRY.get_sample_value("servicekit_calls_over_rate_total")
    refused = 0
    for _ in range(times):
        try:
            rates.take(principal)
        except RateError:
            refused += 1
    assert REGISTRY.get_sample_value("servicekit_calls_over_rate_total") == (before or 0) + refused
    return times - refused


def test_calls_beyond_what_may_come_at_once_wait_for_their_turn() -> None:
    clock = Clock()
    rates = Rates(2, 10, clock)
    assert answered(rates, person("ada"), 15) == 10
    with pytest.raises(RateError, match=r"0\.50 s") as refused:
        rates.take(person("ada"))
    clock.now += refused.value.wait_s
    assert answered(rates, person("ada"), 5) == 1
    clock.now += 2
    assert answered(rates, person("ada"), 9) == 4
    clock.now += 3600
    assert answered(rates, person("ada"), 15) == 10


def test_a_person_has_calls_of_their_own_through_each_process_and_a_process_has_no_limit() -> None:
    rates = Rates(1, 2, Clock())
    assert answered(rates, person("ada"), 3) == 2
    assert answered(rates, person("ben"), 3) == 2
    assert answered(rates, person("ada", "gateway"), 3) == 2
    assert answered(rates, Principal("reasoning"), 10_000) == 10_000
    assert answered(Rates(0, 1, Clock()), person("ada"), 10_000) == 10_000


def test_callers_without_end_take_bounded_memory() -> None:
    clock = Clock()
    rates, breadth = Rates(1, 2, clock), Breadth(100, 60, refuses=False, clock=clock)
    people = limits.MOST_LOOKED_AT // 100
    tracemalloc.start()
    try:
        for number in range(2 * limits.MOST_CALLERS):
            rates.take(person(f"p{number}"))
        calls = tracemalloc.get_traced_memory()[0]
        for number in range(int(1.2 * people)):
            for each in range(120):
                breadth.is_beyond(person(f"p{number}"), patient(each))
        patients = tracemalloc.get_traced_memory()[0] - calls
    finally:
        tracemalloc.stop()
    assert calls < 4 * 1024 * 1024
    assert patients < 24 * 1024 * 1024


def test_a_further_patient_is_one_too_many_until_the_first_ones_are_long_ago() -> None:
    clock = Clock()
    breadth = Breadth(3, 60, refuses=False, clock=clock)
    ada = person("ada")
    assert [breadth.is_beyond(ada, patient(number)) for number in (1, 2, 3, 1, 4, 4, 2)] == [False] * 4 + [
        True,
        True,
        False,
    ]
    assert not breadth.is_beyond(person("ben"), patient(4))
    assert not breadth.is_beyond(Principal("reasoning"), patient(4))
    clock.now += 50
    assert not breadth.is_beyond(ada, patient(1))
    clock.now += 11
    # 2 and 3 are out of the window, 1 was looked at since.
    assert [breadth.is_beyond(ada, patient(number)) for number in (4, 5, 6)] == [False, False, True]


def test_only_a_setting_refuses_one_patient_too_many() -> None:
    Breadth(3, 60, refuses=False).refuse()
    with pytest.raises(DeniedError, match="3 patients within 60 s"):
        Breadth(3, 60, refuses=True).refuse()
