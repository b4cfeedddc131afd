"""Claims: the checkable assertions of a text, each with its characters, the check that decided and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from longitude.reasoning.v1 import assessment_pb2 as wire


class Verdict(IntEnum):
    """Of a claim, and of a statement: the worst of its claims."""

    SUPPORTED = wire.VERDICT_SUPPORTED
    CONTRADICTED = wire.VERDICT_CONTRADICTED
    UNSUPPORTED = wire.VERDICT_UNSUPPORTED

    def to_proto(self) -> "wire.Verdict.ValueType":
        return cast("wire.Verdict.ValueType", int(self))


@dataclass(frozen=True, slots=True)
class Claim:
    """Characters [start, end) of a text and what a check found. `reason` quotes the record for the physician's eyes.

    `abstained`: what would decide is missing, which is not the same as having looked and found nothing.
    """

    start: int
    end: int
    check: str
    verdict: Verdict
    reason: str = ""
    fact_ids: tuple[str, ...] = ()
    passage_ids: tuple[str, ...] = ()
    abstained: bool = False

    def to_proto(self) -> wire.Claim:
        return wire.Claim(
            start=self.start,
            end=self.end,
            check=self.check,
            verdict=self.verdict.to_proto(),
            reason=self.reason,
            fact_ids=self.fact_ids,
            abstained=self.abstained,
            passage_ids=self.passage_ids,
        )


def worst(claims: Iterable[Claim]) -> Verdict:
    """Contradicted before unsupported before supported; a text without any claim supports nothing."""
    found = {claim.verdict for claim in claims}
    if Verdict.CONTRADICTED in found:
        return Verdict.CONTRADICTED
    return Verdict.SUPPORTED if found == {Verdict.SUPPORTED} else Verdict.UNSUPPORTED
