"""Claims, spans and their verification against the record and the evidence: the release gate and the reward.

Pure functions over protobuf facts; no I/O, no clock, no network.
"""

from grounding.claims import Claim, Verdict
from grounding.foreign import Cutter, Judged, Piece, TooManySentencesError, judge, judge_piece, worst_of
from grounding.gate import Release, decide
from grounding.render import Rendered, UnrenderableError, render
from grounding.sources import Sources, UnknownSourceError
from grounding.statements import Statement
from grounding.verify import Verified, Verifier

__all__ = [
    "Claim",
    "Cutter",
    "Judged",
    "Piece",
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
    "judge_piece",
    "render",
    "worst_of",
]
