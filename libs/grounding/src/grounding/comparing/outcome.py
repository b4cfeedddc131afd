"""What comparing finds: which part of an assertion was looked at, the verdict, why, and the facts that decided."""

from collections.abc import Iterable
from typing import NamedTuple

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding.claims import Verdict
from grounding.reading.nodes import Node


class Outcome(NamedTuple):
    check: str
    verdict: Verdict
    reason: str = ""
    fact_ids: tuple[str, ...] = ()
    passage_ids: tuple[str, ...] = ()
    # The characters that it is about; None: those of the whole assertion.
    at: tuple[int, int] | None = None

    def of(self, node: Node) -> "Outcome":
        """About these characters alone."""
        return self._replace(at=(node.start, node.end))

    @property
    def holds(self) -> bool:
        return self.verdict is Verdict.SUPPORTED


def supported(check: str, facts: Iterable[ClinicalFact] = ()) -> Outcome:
    return Outcome(check, Verdict.SUPPORTED, "", ids(facts))


def contradicted(check: str, reason: str, facts: Iterable[ClinicalFact] = ()) -> Outcome:
    return Outcome(check, Verdict.CONTRADICTED, reason, ids(facts))


def unsupported(check: str, reason: str) -> Outcome:
    return Outcome(check, Verdict.UNSUPPORTED, reason)


def ids(facts: Iterable[ClinicalFact]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fact.fact_id for fact in facts))
