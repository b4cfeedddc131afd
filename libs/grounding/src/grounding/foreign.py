"""A text that another system wrote, judged sentence by sentence against the whole record.

Guarantee: every word of the text is in a span or is layout; a span is judged with the headings and introducing lines
above it; only what is read as a leading line or as a question that presupposes nothing asserts nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from grounding import reader
from grounding.claims import Claim, Verdict, worst
from grounding.comparing.record import Record
from grounding.documents import LONGEST_SENTENCE, Cutter, Piece, TooManySentencesError, pieces, read
from grounding.explain import Asserted, asserted
from grounding.reading.sections import asks_only, section
from grounding.spans import Span
from grounding.verify import Verifier

__all__ = ["Cutter", "Judged", "Piece", "TooManySentencesError", "judge", "judge_piece", "worst_of"]


@dataclass(frozen=True, slots=True)
class Judged:
    """Characters [start, end) of the text, what they claim, and the worst verdict; None: they assert nothing.

    `assertions`: as what it was read; none where it was not read whole. `sections`: the lines that lead it, the nearest
    last.
    """

    start: int
    end: int
    claims: tuple[Claim, ...]
    verdict: Verdict | None
    assertions: tuple[Asserted, ...] = ()
    sections: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why it is not supported; empty when it is, or asserts nothing."""
        if self.verdict in (None, Verdict.SUPPORTED):
            return ""
        deciding = (f"{claim.check}: {claim.reason}" for claim in self.claims if claim.verdict is self.verdict)
        return next(deciding, "nothing in it can be checked")


def judge(text: str, verifier: Verifier) -> tuple[Judged, ...]:
    """The spans of a text in order, without overlap; offsets are those of the text as it came.

    TooManySentencesError before anything is verified.
    """
    found = tuple(pieces(text))
    return tuple(judge_piece(piece, verifier) for piece in found)


def judge_piece(piece: Piece, verifier: Verifier) -> Judged:
    """A sentence of a text that comes bit by bit (`Cutter`), as of the whole text."""
    sections = tuple(line.rstrip(":").rstrip() for line in piece.block.above)
    return replace(_judge(piece, verifier.record), sections=sections)


def worst_of(spans: Iterable[Judged]) -> Verdict:
    """Of the spans that assert something; a text that asserts nothing supports nothing."""
    verdicts = {span.verdict for span in spans} - {None}
    if Verdict.CONTRADICTED in verdicts:
        return Verdict.CONTRADICTED
    return Verdict.SUPPORTED if verdicts == {Verdict.SUPPORTED} else Verdict.UNSUPPORTED


def _judge(piece: Piece, record: Record) -> Judged:
    start, end = piece.span.start, piece.span.end
    if len(piece.words) > LONGEST_SENTENCE:
        return _refused(piece, "length", f"it has more than {LONGEST_SENTENCE:,} characters and was not read")
    if _asserts_nothing(piece):
        return Judged(start, end, (), None)
    reading = read(piece, record)
    claims = tuple(_placed(claim, piece.span) for claim in reader.compared(reading, record))
    return Judged(start, end, claims, worst(claims), tuple(asserted(each, piece.span) for each in reading.clauses))


def _asserts_nothing(piece: Piece) -> bool:
    """A leading line, with something below if it would deny or end it; a question that presupposes nothing."""
    kind = section(piece.words)
    if kind is not None:
        return piece.block.leads or kind.lone or not kind.lead
    return asks_only(piece.words)


def _placed(claim: Claim, span: Span) -> Claim:
    """The claim with its offsets in the text; one about the leading line is about the whole sentence."""
    length = span.end - span.start
    start, end = max(claim.start, 0), min(claim.end, length)
    if start >= end:
        start, end = 0, length
    return replace(claim, start=span.start + start, end=span.start + end)


def _refused(piece: Piece, check: str, reason: str) -> Judged:
    claim = Claim(piece.span.start, piece.span.end, check, Verdict.UNSUPPORTED, reason)
    return Judged(piece.span.start, piece.span.end, (claim,), claim.verdict)
