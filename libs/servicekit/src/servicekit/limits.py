"""How much one person may ask: calls in a time, and different patients in a time, at one process of a service.

Memory is bounded whoever calls: of callers beyond a bound the one who asked least lately is forgotten, and counts anew.
Processes that call for themselves have no limit: they show a certificate, wait for each answer, and what they do is
bounded where it came in.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from contracts.errors import BusyError, DeniedError
from longitude.record.v1.fact_pb2 import PatientKey
from prometheus_client import Counter

from servicekit.principal import Principal

OVER_RATE = Counter("servicekit_calls_over_rate_total", "Calls that were refused since one person asked too many")
BEYOND = Counter("servicekit_looks_beyond_total", "Looks of one person at more different patients than is expected")

# Callers whose rate is known: 2 MB.
MOST_CALLERS = 10_000
# Patients that are known to have been looked at, of all callers together: 20 MB.
MOST_LOOKED_AT = 100_000


class RateError(BusyError):
    """One person asks too many calls; `wait_s` seconds from now another one is answered."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many calls of one person; ask again in {wait_s:.2f} s")
        self.wait_s = wait_s


class Rates:
    """A token bucket for each person and the process through which they call."""

    def __init__(self, per_second: float, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        """So many calls a second, and `at_once` after a rest; 0 a second is no limit."""
        self._per_second, self._at_once, self._clock = per_second, at_once, clock
        # Calls that are left, and when that was so; who asked last stands last.
        self._left: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def take(self, principal: Principal) -> None:
        """Count a call. RateError where there is none left."""
        if principal.person is None or not self._per_second:
            return
        key, now = hash(_caller(principal)), self._clock()
        left, then = self._left.pop(key, (float(self._at_once), now))
        left = min(self._at_once, left + (now - then) * self._per_second)
        self._left[key] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
        if left < 1:
            OVER_RATE.inc()
            raise RateError((1 - left) / self._per_second)


class Breadth:
    """How many different patients each person looks at."""

    def __init__(
        self,
        most: int,
        window_s: int,
        *,
        refuses: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`most` patients within `window_s` seconds of the latest look at each; 0 of them is no limit."""
        self.most, self.window_s, self._refuses, self._clock = most, window_s, refuses, clock
        # When each was looked at, who least lately first.
        self._people: OrderedDict[int, OrderedDict[int, float]] = OrderedDict()

    def is_beyond(self, principal: Principal, patient: PatientKey) -> bool:
        """Count a look; whether it is at a further patient than that many."""
        if principal.person is None or not self.most:
            return False
        person, looked_at, now = hash(_caller(principal)), hash((patient.id, patient.authority)), self._clock()
        seen = self._people.pop(person, None) or OrderedDict()
        self._people[person] = seen
        while seen and next(iter(seen.values())) < now - self.window_s:
            seen.popitem(last=False)
        is_known = seen.pop(looked_at, None) is not None
        is_beyond = not is_known and len(seen) >= self.most
        if is_beyond:
            BEYOND.inc()
        else:
            seen[looked_at] = now
        if len(self._people) > max(1, MOST_LOOKED_AT // self.most):
            self._people.popitem(last=False)
        return is_beyond

    def refuse(self) -> None:
        """DeniedError where a setting says that what is beyond is not shown."""
        if self._refuses:
            raise DeniedError(f"you looked at {self.most} patients within {self.window_s} s: no further one opens now")


def _caller(principal: Principal) -> tuple[str, str, str]:
    person = principal.person
    return (principal.process, person.issuer, person.subject) if person else (principal.process, "", "")
