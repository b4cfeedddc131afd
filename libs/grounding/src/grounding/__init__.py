"""Claims, spans and their verification against the record and the evidence: the release gate and the reward.

Pure functions over protobuf facts; no I/O, no clock, no network.
"""

from grounding.claims import Claim, Verdict
from grounding.foreign import Judged, TooManySentencesError, judge, worst_of
from grounding.gate import Release, decide
from grounding.render import Rendered, UnrenderableError, render
from grounding.sources import Sources, UnknownSourceError
from grounding.statements import Statement
from grounding.verify import Verified, Verifier

__all__ = [
    "Claim",
    "Judged",
    "Release",
    "Rendered",
    "Sources",
    "Statement",
    "TooManySentencesError",
    "UnknownSourceError",
    "UnrenderableError",
    "Verdict",
    "Verified",
    "Verifier",
    "decide",
    "judge",
    "render",
    "worst_of",
]
