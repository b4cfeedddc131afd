"""The verifier evaluation measures what it says: every kind of lie is told, and each is false."""

from tests.evals.lies import LIES
from tests.evals.verifier import measure


def test_every_kind_of_lie_is_told_and_nothing_contradicted_passes() -> None:
    tally = measure(range(2), 0)
    assert set(tally.lies) == {*LIES, "another of the drugs", "recombined", "wrong patient"}
    assert tally.true > 20
    assert [lie for kind, lie in tally.missed if kind in ("value", "dose", "drug", "laterality")] == []
