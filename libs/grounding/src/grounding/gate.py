"""The release gate: what a physician is shown as said, and what as withheld with the reason.

Guarantee: contradicted is never released, whatever the policy; every decision carries its reason.
"""

from dataclasses import dataclass
from enum import Enum

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.assessment_pb2 import StatementKind

from grounding.claims import Verdict
from grounding.verify import Verified


class Unsupported(Enum):
    """What happens to an unsupported statement of a kind."""

    WITHHOLD = "withhold"
    # Released with its verdict and reason shown: routed to the physician to judge.
    MARK = "mark"


# A question asks, it asserts nothing that would be acted upon: better put with a mark than lost.
POLICY: dict["StatementKind.ValueType", Unsupported] = {wire.STATEMENT_KIND_QUESTION: Unsupported.MARK}


@dataclass(frozen=True, slots=True)
class Release:
    """The decision about one statement; `reason` is empty only for a supported one."""

    released: bool
    verdict: Verdict
    reason: str


def decide(kind: "StatementKind.ValueType", verified: Verified) -> Release:
    """Supported: released. Contradicted: never. Unsupported: by the policy of its kind, else withheld."""
    match verified.verdict:
        case Verdict.SUPPORTED:
            return Release(released=True, verdict=verified.verdict, reason="")
        case Verdict.CONTRADICTED:
            return Release(released=False, verdict=verified.verdict, reason=verified.reason)
        case _:
            marked = POLICY.get(kind, Unsupported.WITHHOLD) is Unsupported.MARK
            return Release(released=marked, verdict=verified.verdict, reason=verified.reason)
